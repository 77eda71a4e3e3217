import {EXIT} from './exit-code.ts';

/**
 * Ctrl-C: the first asks what runs to stop at its next step and lets the run end with a true summary, the second ends
 * everything at once. A polite kill (SIGTERM) counts as the first, and so does a reader of standard output that went away.
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
  const onOutputError = ({code}: NodeJS.ErrnoException): void => {
    if (code === 'EPIPE') controller.abort();
  };
  process.stdout.on('error', onOutputError);
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release: () => {
      process.stdout.off('error', onOutputError);
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
