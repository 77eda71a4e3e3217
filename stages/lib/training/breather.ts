import {setImmediate} from 'node:timers/promises';

const LONGEST_WITHOUT = 30; // milliseconds

/**
 * A function to await in a long loop: every 30 ms it gives the event loop a turn, so that messages arrive, an abort among
 * them. The clock decides when to breathe and nothing else.
 */
export function breather(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last <= LONGEST_WITHOUT) return;
    await setImmediate();
    last = performance.now();
  };
}

/** The same for a loop that has nothing to save: it throws the signal's reason once that is aborted. */
export function abortableBreather(signal: AbortSignal): () => Promise<void> {
  const breathe = breather();
  return async () => {
    await breathe();
    signal.throwIfAborted();
  };
}
