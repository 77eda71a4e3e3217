import {jsonlReporter} from '../report/jsonl-reporter.ts';
import {plainReporter} from '../report/plain-reporter.ts';
import type {Reporter, ReporterOptions} from '../report/reporter.ts';
import {movesCursor} from './moving-cursor.ts';

/** JSON lines when asked for, a live display on a terminal, plain lines in a pipe, in CI and on a terminal that moves no cursor. */
export async function chooseReporter(json: boolean, options: ReporterOptions): Promise<Reporter> {
  const write = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  if (json) return jsonlReporter(write);
  if (movesCursor(process.stdout) && !process.env.CI) {
    return (await import('../report/terminal-reporter.ts')).terminalReporter(process.stdout, options);
  }
  return plainReporter(write, options);
}
