import {clip} from '../report/format.ts';
import {movesCursor} from './moving-cursor.ts';

/** Set-up's progress on stderr: a line that is rewritten on a terminal, plain lines in a pipe. */
export function setupReporter(): {
  line(text: string): void;
  progress(text: string, fraction: number | undefined): void;
  close(): void;
} {
  const {stderr} = process;
  let live = false;
  let lastSaid = '';
  const clear = (): void => {
    if (live) stderr.write('\r\x1b[2K');
    live = false;
  };
  return {
    line: (text) => {
      clear();
      stderr.write(`${text}\n`);
    },
    progress: (text, fraction) => {
      const shown = fraction === undefined ? text : `${text} ${Math.floor(fraction * 100)} %`;
      if (movesCursor(stderr)) {
        stderr.write(`\r\x1b[2K${clip(shown, (stderr.columns ?? 80) - 1)}`);
        live = true;
      } else if (text !== lastSaid) {
        stderr.write(`${text}\n`);
        lastSaid = text;
      }
    },
    close: clear,
  };
}
