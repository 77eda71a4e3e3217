import type {Reporter} from './reporter.ts';

/** As many lines as are worth one call of the system. */
const MOST_HELD = 1000;

/**
 * One event a line, as the contract in docs has it. Cached instances come by the thousand in one turn of the event loop, and are
 * written together; whatever else happens is written at once.
 */
export function jsonlReporter(write: (lines: string) => void): Reporter {
  let held: string[] = [];
  const flush = (): void => {
    if (held.length > 0) write(held.join('\n'));
    held = [];
  };
  return {
    report: (event) => {
      held.push(JSON.stringify(event));
      const mayWait = event.event === 'instance-finished' && event.outcome === 'cached' && held.length < MOST_HELD;
      if (!mayWait) flush();
      else if (held.length === 1) process.nextTick(flush);
    },
    close: flush,
  };
}
