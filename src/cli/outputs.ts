import {EXIT} from './exit-code.ts';
import {printFaults} from './faults.ts';

/**
 * What becomes of a command whose output takes nothing more. Where the reader has closed the pipe (`basin show … | head`) it has seen
 * enough; only a run goes on to an end of its own. A disk that is full or a terminal that is gone stops nothing: what a run stores
 * is worth more than what it tells. It is said once on standard error, and at the end by the exit code.
 */
export function followOutputs(isRun: boolean): void {
  let isLost = false;
  process.stdout.on('error', ({code, message}: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') {
      if (!isRun) process.exit(EXIT.done);
      return;
    }
    if (isLost) return;
    isLost = true;
    printFaults([lostOutput(code, message, isRun)], false);
  });
  // There is no other place to tell it.
  process.stderr.on('error', () => {});
  process.on('exit', (code) => {
    if (isLost && code === EXIT.done) process.exitCode = EXIT.failed;
  });
}

function lostOutput(code: string | undefined, message: string, isRun: boolean) {
  const reason = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : message;
  return {
    code: 'output-lost',
    message: `Standard output cannot be written: ${reason}.`,
    hint: isRun
      ? 'What a run computes is stored all the same.'
      : 'What was to be printed is lost; send it elsewhere and ask again.',
  };
}
