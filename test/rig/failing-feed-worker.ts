import {parentPort, workerData} from 'node:worker_threads';
import type {OfferedBatch, SharedWork} from '../../stages/lib/pictures/shared-work.ts';

/** Takes the first picture of the first batch, says so, and fails. */
const {taken}: SharedWork = workerData;
parentPort?.once('message', ({slot}: OfferedBatch) => {
  Atomics.add(taken, slot, 1n);
  parentPort?.postMessage('taken');
  throw new Error('the thread broke');
});
