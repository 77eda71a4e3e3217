import type {Writable} from 'node:stream';
import {styleText} from 'node:util';
import {createLogUpdate} from 'log-update';
import {textWidth} from '../base/terminal-text.ts';
import type {RunEvent} from '../run/event.ts';
import {failureSummary, permanentLines, type Style, totalsLine} from './lines.ts';
import {liveLines} from './live-block.ts';
import type {Reporter, ReporterOptions} from './reporter.ts';
import {RunView} from './run-view.ts';

/** Drawing a frame costs milliseconds (grapheme widths), so ten a second at most. */
const FRAME_MS = 100;

/** As much of a terminal as is needed: it emits `resize` when its size has changed. */
type Terminal = Writable & {readonly columns?: number; readonly rows?: number};

/** Finished instances above, and below them a block that is redrawn: the whole run, and each instance that runs. */
export function terminalReporter(stream: Terminal, {detail, logCommand}: ReporterOptions): Reporter {
  const view = new RunView();
  const live = createLogUpdate(stream);
  const style: Style = (format, text) => styleText(format, text, {stream});
  const startedAt = performance.now();
  const columns = (): number => Math.max(1, stream.columns ?? 80);
  let timer: NodeJS.Timeout | undefined;
  /** The block as it stands on the screen. */
  let shown: readonly string[] = [];

  const clear = (): void => {
    live.clear();
    shown = [];
  };
  const draw = (): void => {
    if (view.running.size === 0 || detail === 'quiet') return clear();
    shown = liveLines(view, performance.now(), startedAt, columns());
    live(shown.join('\n'));
  };
  /** A terminal that has become narrower has wrapped the block, so that it takes more rows than lines were written. */
  const onResize = (): void => {
    if (shown.length === 0) return;
    const width = columns();
    const wrapped = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / width)), 0);
    const rows = Math.min(wrapped, (stream.rows ?? 24) - 1);
    stream.write(`\r${'\x1b[1A\x1b[2K'.repeat(rows)}`);
    live.done(); // it forgets what it wrote
    draw();
  };
  stream.on('resize', onResize);
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
    stream.off('resize', onResize);
    clear();
  };
  return {
    report: (event: RunEvent) => {
      view.apply(event, performance.now());
      const lines = permanentLines(event, style, detail, columns());
      if (lines.length > 0) {
        clear();
        stream.write(`${lines.join('\n')}\n`);
        draw();
      }
      switch (event.event) {
        case 'instance-started':
          if (detail !== 'quiet') timer ??= setInterval(draw, FRAME_MS);
          return;
        case 'run-finished':
          stop();
          for (const line of failureSummary(view.failures, style, logCommand, columns())) stream.write(`${line}\n`);
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
