import {fittingEnd, fittingStart, textWidth} from '../base/terminal-text.ts';
import {bar, clip, formatSeconds, harmless} from './format.ts';
import type {RunningView, RunView} from './run-view.ts';

const OVERALL_BAR = 20;
/** Of a long id at least this much is shown. */
const SHORTEST_ID = 8;

/** The live block: one line for the whole, one for each that runs; every line fits `columns`. */
export function liveLines(view: RunView, now: number, startedAt: number, columns: number): readonly string[] {
  const elapsed = formatSeconds((now - startedAt) / 1000);
  const failed = view.ended.failed > 0 ? `, ${view.ended.failed} failed` : '';
  const whole = `${bar(view.done / Math.max(1, view.instances), OVERALL_BAR)} ${view.done}/${view.instances}${failed} · ${elapsed}`;
  return [clip(whole, columns), ...[...view.running.values()].map((running) => runningLine(running, now, columns))];
}

/**
 * `finetune-A 340/1200 · epoch 1.8 · loss 0.213 · 21 s left`. Where that does not fit, first the epoch goes, then the note, the loss,
 * and the middle of the id: how far it is and how long it takes are what one looks for.
 */
export function runningLine(running: RunningView, now: number, columns = Number.POSITIVE_INFINITY): string {
  const {id, step, steps, epoch, loss, since, resumedAt} = running;
  const note = running.note === undefined ? undefined : harmless(running.note);
  const elapsed = (now - since) / 1000;
  const known = step !== undefined && steps !== undefined;
  const done = known ? `${step}/${steps}` : undefined;
  const time =
    known && step > resumedAt && step < steps
      ? `${formatSeconds((elapsed / (step - resumedAt)) * (steps - step))} left`
      : formatSeconds(elapsed);
  const shownEpoch = epoch === undefined ? undefined : `epoch ${epoch.toFixed(2)}`;
  const shownLoss = loss === undefined ? undefined : `loss ${loss.toPrecision(3)}`;
  const lineOf = (name: string, ...parts: readonly (string | undefined)[]): string =>
    `  ${name} ${parts.filter((part) => part !== undefined).join(' · ')}`;
  const lines = [
    lineOf(id, done, shownEpoch, shownLoss, note, time),
    lineOf(id, done, shownLoss, note, time),
    lineOf(id, done, shownLoss, time),
    lineOf(id, done, time),
  ];
  const fitting = lines.find((line) => textWidth(line) <= columns);
  if (fitting !== undefined) return fitting;
  const room = Math.max(SHORTEST_ID, columns - textWidth(lineOf('', done, time)));
  return clip(lineOf(clipMiddle(id, room), done, time), columns);
}

/** A text cut to a width in its middle, because ids of one node differ at their ends. */
function clipMiddle(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  const end = Math.floor((columns - 1) / 2);
  return `${fittingStart(text, columns - 1 - end)}…${fittingEnd(text, end)}`;
}
