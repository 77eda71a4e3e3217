import type {WriteStream} from 'node:tty';
import {styleText} from 'node:util';
import {createLogUpdate} from 'log-update';
import type {RunEvent} from '../run/event.ts';
import {failureSummary, liveLines, permanentLines, type Style, totalsLine} from './lines.ts';
import type {Reporter, ReporterOptions} from './reporter.ts';
import {RunView} from './run-view.ts';

/** Drawing a frame costs milliseconds (grapheme widths), so ten a second at most. */
const FRAME_MS = 100;

/** Finished instances above, and below them a block that is redrawn: the whole run, and each instance that runs. */
export function terminalReporter(stream: WriteStream, {detail, logCommand}: ReporterOptions): Reporter {
  const view = new RunView();
  const live = createLogUpdate(stream);
  const style: Style = (format, text) => styleText(format, text, {stream});
  const startedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;

  const draw = (): void => {
    if (view.running.size === 0 || detail === 'quiet') return live.clear();
    live(liveLines(view, performance.now(), startedAt, stream.columns ?? 80).join('\n'));
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
    live.clear();
  };
  return {
    report: (event: RunEvent) => {
      view.apply(event, performance.now());
      const lines = permanentLines(event, style, detail);
      if (lines.length > 0) {
        live.clear();
        stream.write(`${lines.join('\n')}\n`);
        draw();
      }
      switch (event.event) {
        case 'instance-started':
          if (detail !== 'quiet') timer ??= setInterval(draw, FRAME_MS);
          return;
        case 'run-finished':
          stop();
          for (const line of failureSummary(view.failures, style, logCommand)) stream.write(`${line}\n`);
          stream.write(`${totalsLine(event, style)}\n`);
          return;
        default:
          return;
      }
    },
    close: () => {
      stop();
      live.done();
    },
  };
}
