import {EXIT} from './exit-code.ts';

/** Under nohup, as bin/basin found it: Node itself forgets what was ignored when it started. */
const IGNORES_HANGUP = process.env.BASIN_HANGUP === 'ignored';

/** For the whole of a command, set-up included. */
export function keepIgnoringHangup(): void {
  if (IGNORES_HANGUP) process.on('SIGHUP', () => {});
}

interface Interrupt {
  /** Aborted by the first. */
  readonly stop: AbortSignal;
  /** Aborted by the second. The process ends when its listeners have returned. */
  readonly end: AbortSignal;
  release(): void;
}

/**
 * Ctrl-C: the first asks what runs to stop at its next step and lets the run end with a true summary, the second ends
 * everything at once. A polite kill (SIGTERM) counts as the first, and so does a reader of standard output that went away, or the
 * terminal. A closed terminal may be told of twice, by the shell and by the system, so that is never a second.
 */
export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  const second = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      second.abort();
      process.exit(EXIT.interrupted);
    }
    process.stderr.write('\nStopping after the step that runs; Ctrl-C again stops at once.\n');
    controller.abort();
  };
  const onOutputError = ({code}: NodeJS.ErrnoException): void => {
    if (code === 'EPIPE') controller.abort();
  };
  const onHangup = (): void => {
    if (!controller.signal.aborted) onSignal();
  };
  process.stdout.on('error', onOutputError);
  if (!IGNORES_HANGUP) process.on('SIGHUP', onHangup);
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    stop: controller.signal,
    end: second.signal,
    release: () => {
      process.stdout.off('error', onOutputError);
      process.off('SIGHUP', onHangup);
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
