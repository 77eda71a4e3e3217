/** A worker process over the counting stages, for tests of the engine: no tensor library. */
import {runWorker} from '../../src/run/run-worker.ts';
import {countingStages} from './counting-stages.ts';
import {noTensors} from './in-process-pool.ts';

runWorker({registry: countingStages, library: ''}, noTensors);
