import {NO_CHECKPOINTS} from '../src/run/checkpoints.ts';
import type {StageServices} from '../src/stage/define-stage.ts';
import type {Tf} from '../stages/tensor/library.ts';

/** What a stage is handed when nothing but its time is of interest. */
export const quietServices = (tf: Tf): StageServices => ({
  tf,
  signal: new AbortController().signal,
  checkpoints: NO_CHECKPOINTS,
  progress: () => {},
  log: () => {},
  folder: () => Promise.reject(new Error('no stage here writes files')),
});
