import {setImmediate} from 'node:timers/promises';

const LONGEST_WITHOUT = 30; // milliseconds

/**
 * A function to await in a long loop: every 30 ms it gives the event loop a turn, so that messages arrive, and it throws
 * the signal's reason once that is aborted. The clock decides when to breathe and nothing else.
 */
export function breather(signal: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > LONGEST_WITHOUT) {
      await setImmediate();
      last = performance.now();
    }
    signal.throwIfAborted();
  };
}
