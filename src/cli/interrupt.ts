import {EXIT} from './exit-code.ts';

/**
 * Ctrl-C: the first asks what runs to stop at its next step and lets the run end with a true summary, the second ends
 * everything at once. A polite kill (SIGTERM) counts as the first.
 */
export function onInterrupt(killAll: () => void): {readonly signal: AbortSignal; release(): void} {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      killAll();
      process.exit(EXIT.interrupted);
    }
    process.stderr.write('\nStopping after the step that runs; Ctrl-C again stops at once.\n');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
