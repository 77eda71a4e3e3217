import {UserError} from '../base/user-error.ts';
import type {Checkpoint, Checkpoints} from '../stage/checkpoint.ts';
import {loadCheckpoint, saveCheckpoint} from '../store/checkpoint-file.ts';

/** Nothing shorter is worth a checkpoint. */
const FIRST_AFTER = 500;
/** Saving takes at most this share of the time between two saves, and of the time up to the first. */
const SHARE = 0.01;
/** What a slow disk takes with the digest of what is written, until a save has been measured. */
const ASSUMED_BYTES_A_MILLISECOND = 250_000;
/** A disk that was full may have room again. */
const AGAIN_AFTER_FAILURE = 30_000;

interface CheckpointOptions {
  readonly load: () => Promise<Checkpoint | undefined>;
  readonly save: (checkpoint: Checkpoint) => Promise<void>;
  /** Aborted when the run is being stopped: then what is offered is saved whatever it takes. */
  readonly signal: AbortSignal;
  /** Told once that the stage goes on without. */
  readonly warn: (message: string) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/**
 * Checkpoints that cost about a hundredth of a stage. The clock decides when to save and nothing else: results never see it.
 * A save that fails for want of space or rights fails no stage: what was computed so far is worth more than a place to come back to.
 */
export function checkpointsBy({
  load,
  save,
  signal,
  warn,
  now = () => performance.now(),
}: CheckpointOptions): Checkpoints {
  let lastEnded = now();
  let interval = FIRST_AFTER;
  let measured = false;
  let warned = false;
  return {
    load,
    offer: async (make) => {
      const began = now();
      if (began - lastEnded < interval && !signal.aborted) return;
      const checkpoint = make();
      if (!measured && !signal.aborted) {
        const expected = now() - began + bytesOf(checkpoint) / ASSUMED_BYTES_A_MILLISECOND;
        if (began - lastEnded < expected / SHARE) {
          interval = expected / SHARE;
          return;
        }
      }
      try {
        await save(checkpoint);
        lastEnded = now();
        measured = true;
        interval = Math.max(FIRST_AFTER, (lastEnded - began) / SHARE);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        lastEnded = now();
        interval = Math.max(AGAIN_AFTER_FAILURE, (lastEnded - began) / SHARE);
        if (!warned) warn(`${error.message} It goes on without, and would begin again if it were interrupted.`);
        warned = true;
      }
    },
  };
}

const bytesOf = ({arrays}: Checkpoint): number =>
  Object.values(arrays).reduce((sum, {byteLength}) => sum + byteLength, 0);

/** Checkpoints in an instance's scratch folder of the store at `root`; `writing` is around each that is saved. */
export const checkpointsIn = (
  folder: string,
  root: string,
  told: Pick<CheckpointOptions, 'signal' | 'warn'>,
  writing = (write: () => Promise<void>): Promise<void> => write(),
): Checkpoints =>
  checkpointsBy({
    load: () => loadCheckpoint(folder),
    save: (checkpoint) => writing(() => saveCheckpoint(folder, root, checkpoint)),
    ...told,
  });

/** For what is computed in one go: there is nothing to come back to. */
export const NO_CHECKPOINTS: Checkpoints = {load: async () => undefined, offer: async () => {}};
