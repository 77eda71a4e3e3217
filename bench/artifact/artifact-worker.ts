/** A worker process over the stages of this bench: no tensor library. */
import {runWorker} from '../../src/run/run-worker.ts';
import {artifactStages} from './artifact-stages.ts';

runWorker(
  {registry: artifactStages, library: ''},
  {
    library: () => Promise.reject(new Error('no stage here computes')),
    begin: () => {},
    check: () => Promise.resolve(),
  },
);
