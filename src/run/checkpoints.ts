import type {Checkpoints} from '../stage/checkpoint.ts';
import {loadCheckpoint, saveCheckpoint} from '../store/checkpoint-file.ts';

/** Nothing shorter is worth a checkpoint. */
const FIRST_AFTER_SECONDS = 0.5;
/** Saving takes at most this share of the time between two saves. */
const SHARE = 0.01;

/** Checkpoints in an instance's scratch folder. The clock decides when to save and nothing else: results never see it. */
export function checkpointsIn(folder: string, root: string, signal: AbortSignal): Checkpoints {
  let lastEnded = performance.now();
  let interval = FIRST_AFTER_SECONDS * 1000;
  return {
    load: () => loadCheckpoint(folder),
    offer: async (make) => {
      const began = performance.now();
      if (began - lastEnded < interval && !signal.aborted) return;
      await saveCheckpoint(folder, root, make());
      lastEnded = performance.now();
      interval = Math.max(FIRST_AFTER_SECONDS * 1000, (lastEnded - began) / SHARE);
    },
  };
}

/** For what is computed in one go: there is nothing to come back to. */
export const NO_CHECKPOINTS: Checkpoints = {load: async () => undefined, offer: async () => {}};
