/** A worker process over the counting stages, for tests of the engine: no tensor library. */
import {runWorker} from '../../src/run/run-worker.ts';
import {countingStages} from './counting-stages.ts';

runWorker({registry: countingStages, library: ''}, () => {
  throw new Error('Internal error: a counting stage asked for tensors');
});
