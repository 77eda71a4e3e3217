import type {Reporter} from './reporter.ts';

/** One event a line, as the contract in docs has it. */
export const jsonlReporter = (write: (line: string) => void): Reporter => ({
  report: (event) => write(JSON.stringify(event)),
  close: () => {},
});
