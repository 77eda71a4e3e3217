import {parentPort, workerData} from 'node:worker_threads';
import {type OfferedBatch, type SharedWork, takePart} from './shared-work.ts';

/** A thread of feed.ts: takes part in every batch that is offered. */
const work: SharedWork = workerData;
parentPort?.on('message', (offered: OfferedBatch) => takePart(work, offered));
