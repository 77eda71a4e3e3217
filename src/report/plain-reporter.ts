import type {RunEvent} from '../run/event.ts';
import {failureSummary, permanentLines, type Style, totalsLine} from './lines.ts';
import {runningLine} from './live-block.ts';
import type {Reporter, ReporterOptions} from './reporter.ts';
import {RunView} from './run-view.ts';

const plain: Style = (_style, text) => text;
/** A pipe or a log file hears of a long instance this often. */
const STILL_RUNNING_MS = 15_000;

/** One line for each thing that happens; for pipes, files and CI. */
export function plainReporter(write: (line: string) => void, {detail, logCommand}: ReporterOptions): Reporter {
  const view = new RunView();
  const lastSaid = new Map<string, number>();
  return {
    report: (event: RunEvent) => {
      const now = performance.now();
      view.apply(event, now);
      for (const line of permanentLines(event, plain, detail)) write(line);
      switch (event.event) {
        case 'instance-started':
          lastSaid.set(event.id, now);
          if (detail !== 'quiet') write(`> ${event.id} (${event.text})`);
          return;
        case 'instance-progress': {
          const running = view.running.get(event.id);
          if (!running || detail === 'quiet' || now - (lastSaid.get(event.id) ?? now) < STILL_RUNNING_MS) return;
          lastSaid.set(event.id, now);
          write(runningLine(running, now));
          return;
        }
        case 'run-finished':
          for (const line of failureSummary(view.failures, plain, logCommand)) write(line);
          write(totalsLine(event, plain));
          return;
        default:
          return;
      }
    },
    close: () => {},
  };
}
