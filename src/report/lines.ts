import type {RunEvent} from '../run/event.ts';
import {formatSeconds, harmless, wrapWords} from './format.ts';

/** How styles are put on a piece of text; the identity where colour is not wanted. */
export type Style = (style: 'green' | 'red' | 'yellow' | 'dim' | 'bold' | 'cyan', text: string) => string;

/** How much is told: what went wrong, what happened, or also what stages and workers write. */
export type Detail = 'quiet' | 'normal' | 'verbose';

/**
 * What stays on the screen for an event, one string a line; nothing for those that only move the live display. Prose is broken at
 * `columns`; what may be copied, a command or what a stage wrote, is not.
 */
export function permanentLines(
  event: RunEvent,
  style: Style,
  detail: Detail,
  columns = Number.POSITIVE_INFINITY,
): readonly string[] {
  if (detail === 'quiet' && !isTrouble(event)) return [];
  switch (event.event) {
    case 'backend':
      return wrapWords(event.line, columns).map((line) => style('dim', line));
    case 'log':
      return detail === 'verbose' ? [style('dim', `  │ ${event.id}: ${harmless(event.line)}`)] : [];
    case 'warning':
      return wrapWords(`warning ${harmless(event.message)}`, columns).map((line, i) =>
        i === 0 ? line.replace('warning', style('yellow', 'warning')) : line,
      );
    case 'instance-finished':
      return finishedLines(event, style, columns);
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

function finishedLines(
  event: RunEvent & {event: 'instance-finished'},
  style: Style,
  columns: number,
): readonly string[] {
  const took = formatSeconds(event.seconds);
  switch (event.outcome) {
    case 'ran':
      return [`${style('green', '✓')} ${event.id} ${style('dim', took)}`];
    case 'cut-off':
      return [`${style('cyan', '=')} ${event.id} ${style('dim', 'cut off: its inputs came out as before')}`];
    case 'failed':
      return [`${style('red', '✗')} ${event.id} ${style('dim', took)}`, ...failureLines(event, style, columns)];
    case 'cached':
    case 'skipped':
      return [];
    default:
      return event.outcome satisfies never;
  }
}

function failureLines(
  event: RunEvent & {event: 'instance-finished'},
  style: Style,
  columns: number,
): readonly string[] {
  const {failure} = event;
  if (!failure) return [];
  const tail = (failure.logTail ?? []).map((line) => style('dim', `  │ ${harmless(line)}`));
  const prose = [failure.message, ...(failure.hint === undefined ? [] : [failure.hint])];
  return [...prose.flatMap((text) => wrapWords(harmless(text), columns, '  ')), ...tail];
}

/** What failed, told once more where a person looks: at the end. `logCommand` shows everything that an instance wrote. */
export function failureSummary(
  failures: readonly (RunEvent & {event: 'instance-finished'})[],
  style: Style,
  logCommand: (id: string) => string,
  columns = Number.POSITIVE_INFINITY,
): readonly string[] {
  if (failures.length === 0) return [];
  return failures.flatMap((event) => [
    '',
    `${style('red', '✗ failed')} ${event.id}`,
    ...failureLines(event, style, columns),
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
