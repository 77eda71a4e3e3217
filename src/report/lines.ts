import type {RunEvent} from '../run/event.ts';
import {bar, clip, formatSeconds} from './format.ts';
import type {RunningView, RunView} from './run-view.ts';

/** How styles are put on a piece of text; the identity where colour is not wanted. */
export type Style = (style: 'green' | 'red' | 'yellow' | 'dim' | 'bold' | 'cyan', text: string) => string;

/** How much is told: what went wrong, what happened, or also what stages and workers write. */
export type Detail = 'quiet' | 'normal' | 'verbose';

/** What stays on the screen for an event, one string a line; nothing for those that only move the live display. */
export function permanentLines(event: RunEvent, style: Style, detail: Detail): readonly string[] {
  if (detail === 'quiet' && !isTrouble(event)) return [];
  switch (event.event) {
    case 'backend':
      return [style('dim', event.line)];
    case 'log':
      return detail === 'verbose' ? [style('dim', `  │ ${event.id}: ${event.line}`)] : [];
    case 'warning':
      return [`${style('yellow', 'warning')} ${event.message}`];
    case 'instance-finished':
      return finishedLines(event, style);
    case 'expectation': {
      const claim = `${event.of}${event.where === null ? '' : ` where ${event.where}`}: ${event.that}`;
      if (event.met) return [`${style('green', '✓ expected')} ${claim}`];
      return [`${style('red', '✗ expected')} ${claim}`, `  ${event.detail}`];
    }
    case 'run-finished':
    case 'run-started':
    case 'instance-started':
    case 'instance-progress':
      return [];
    default:
      return event satisfies never;
  }
}

function isTrouble(event: RunEvent): boolean {
  if (event.event === 'expectation') return !event.met;
  return event.event === 'warning' || (event.event === 'instance-finished' && event.outcome === 'failed');
}

function finishedLines(event: RunEvent & {event: 'instance-finished'}, style: Style): readonly string[] {
  const took = formatSeconds(event.seconds);
  switch (event.outcome) {
    case 'ran':
      return [`${style('green', '✓')} ${event.id} ${style('dim', took)}`];
    case 'cut-off':
      return [`${style('cyan', '=')} ${event.id} ${style('dim', 'cut off: its inputs came out as before')}`];
    case 'failed':
      return [`${style('red', '✗')} ${event.id} ${style('dim', took)}`, ...failureLines(event, style)];
    case 'cached':
    case 'skipped':
      return [];
    default:
      return event.outcome satisfies never;
  }
}

function failureLines(event: RunEvent & {event: 'instance-finished'}, style: Style): readonly string[] {
  const {failure} = event;
  if (!failure) return [];
  const tail = (failure.logTail ?? []).map((line) => style('dim', `  │ ${line}`));
  return [`  ${failure.message}`, ...(failure.hint === undefined ? [] : [`  ${failure.hint}`]), ...tail];
}

/** What failed, told once more where a person looks: at the end. `logCommand` shows everything that an instance wrote. */
export function failureSummary(
  failures: readonly (RunEvent & {event: 'instance-finished'})[],
  style: Style,
  logCommand: (id: string) => string,
): readonly string[] {
  if (failures.length === 0) return [];
  return failures.flatMap((event) => [
    '',
    `${style('red', '✗ failed')} ${event.id}`,
    ...failureLines(event, style),
    style('dim', `  everything it wrote: ${logCommand(event.id)}`),
  ]);
}

/** The last line of a run. */
export function totalsLine(event: RunEvent & {event: 'run-finished'}, style: Style): string {
  const {ran, cached, cutOff, failed, skipped, seconds} = event;
  const parts = [
    `ran ${ran}`,
    `cached ${cached}`,
    ...(cutOff > 0 ? [`cut off ${cutOff}`] : []),
    ...(failed > 0 ? [style('red', `failed ${failed}`)] : []),
    ...(skipped > 0 ? [style('yellow', `skipped ${skipped}`)] : []),
  ];
  return `${style('bold', parts.join(', '))} ${style('dim', `in ${formatSeconds(seconds)}`)}`;
}

const overallBar = 20;

/** The live block: one line for the whole, one for each that runs; every line fits `columns`. */
export function liveLines(view: RunView, now: number, startedAt: number, columns: number): readonly string[] {
  const elapsed = formatSeconds((now - startedAt) / 1000);
  const failed = view.ended.failed > 0 ? `, ${view.ended.failed} failed` : '';
  const whole = `${bar(view.done / Math.max(1, view.instances), overallBar)} ${view.done}/${view.instances}${failed} · ${elapsed}`;
  return [whole, ...[...view.running.values()].map((running) => runningLine(running, now))].map((line) =>
    clip(line, columns),
  );
}

/** `finetune-A 340/1200 · epoch 1.8 · loss 0.213 · 21 s left`. */
export function runningLine(running: RunningView, now: number): string {
  const {id, step, steps, epoch, loss, note, since} = running;
  const elapsed = (now - since) / 1000;
  const parts: string[] = [];
  if (step !== undefined && steps !== undefined) parts.push(`${step}/${steps}`);
  if (epoch !== undefined) parts.push(`epoch ${epoch.toFixed(2)}`);
  if (loss !== undefined) parts.push(`loss ${loss.toPrecision(3)}`);
  if (note !== undefined) parts.push(note);
  if (step !== undefined && steps !== undefined && step > 0 && step < steps) {
    parts.push(`${formatSeconds((elapsed / step) * (steps - step))} left`);
  } else {
    parts.push(formatSeconds(elapsed));
  }
  return `  ${id} ${parts.join(' · ')}`;
}
