import {expect, test} from 'vitest';
import type {InstanceId} from '../../src/graph/graph.ts';
import {wrapWords} from '../../src/report/format.ts';
import {liveLines} from '../../src/report/live-block.ts';
import {plainReporter} from '../../src/report/plain-reporter.ts';
import {RunView} from '../../src/report/run-view.ts';
import type {RunEvent} from '../../src/run/event.ts';

const id = (text: string): InstanceId => text as InstanceId;
const started = (name: string): RunEvent => ({
  event: 'instance-started',
  id: id(name),
  reason: {why: 'never-run'},
  text: 'never run',
});
const finished = (name: string, outcome: 'ran' | 'cached' | 'failed'): RunEvent => ({
  event: 'instance-finished',
  id: id(name),
  outcome,
  seconds: 2,
  ...(outcome === 'failed' && {failure: {message: 'The loss is not a number at step 7.', hint: 'Lower lr.'}}),
});
const verdicts = {cached: 0, run: 4, 'run-unless-cut-off': 0, unresolved: 0};

function viewOf(events: readonly RunEvent[], now = 0): RunView {
  const view = new RunView();
  for (const event of events) view.apply(event, now);
  return view;
}

test('the live block shows the whole run, and step, epoch, loss and the time left of what runs', () => {
  const view = viewOf([
    {event: 'run-started', pipeline: 'p', instances: 4, verdicts},
    finished('load', 'cached'),
    started('finetune-A'),
    {event: 'instance-progress', id: id('finetune-A'), step: 1, steps: 1200},
    {event: 'instance-progress', id: id('finetune-A'), step: 300, steps: 1200, epoch: 0.32, loss: 0.51234},
  ]);
  expect(liveLines(view, 10_000, 0, 100)).toEqual([
    '█████░░░░░░░░░░░░░░░ 1/4 · 10.0 s',
    '  finetune-A 300/1200 · epoch 0.32 · loss 0.512 · 30.0 s left',
  ]);
});

test('every line of the live block fits a narrow terminal', () => {
  const name = `interpolate[alpha=0.123456789012345,keep=0.2]`;
  const view = viewOf([
    {event: 'run-started', pipeline: 'p', instances: 4, verdicts},
    started(name),
    {event: 'instance-progress', id: id(name), step: 1, steps: 2, epoch: 0.5, loss: 1.5},
  ]);
  for (const line of liveLines(view, 1000, 0, 60)) expect(line.length).toBeLessThanOrEqual(60);
});

test('and a character that takes two columns counts as two', () => {
  const name = `a[c=${'猫'.repeat(30)}]`;
  const view = viewOf([started(name), {event: 'instance-progress', id: id(name), step: 1, steps: 2}]);
  expect(liveLines(view, 1000, 0, 40)[1]).toBe('  a[c=猫猫猫…猫猫猫猫] 1/2 · 1.0 s left');
});

test('an instance that is taken back because its output was damaged is counted once', () => {
  const view = viewOf([finished('load', 'cached'), started('load'), finished('load', 'ran')]);
  expect(view.ended).toEqual({ran: 1, cached: 0, 'cut-off': 0, failed: 0, skipped: 0});
  expect(view.done).toBe(1);
});

test('a pipe gets one line for each thing that happens, the failure with what to do, and the totals last', () => {
  const lines: string[] = [];
  const reporter = plainReporter((line) => lines.push(line), {
    detail: 'normal',
    logCommand: (id) => `basin log p.yaml '${id}'`,
  });
  for (const event of [
    started('a'),
    finished('a', 'ran'),
    finished('c', 'cached'),
    started('b'),
    finished('b', 'failed'),
  ]) {
    reporter.report(event);
  }
  reporter.report({event: 'run-finished', ran: 1, cached: 1, cutOff: 0, failed: 1, skipped: 2, seconds: 75});
  expect(lines).toEqual([
    '> a (never run)',
    '✓ a 2.0 s',
    '> b (never run)',
    '✗ b 2.0 s',
    '  The loss is not a number at step 7.',
    '  Lower lr.',
    '',
    '✗ failed b',
    '  The loss is not a number at step 7.',
    '  Lower lr.',
    "  everything it wrote: basin log p.yaml 'b'",
    'ran 1, cached 1, failed 1, skipped 2 in 1 min 15 s',
  ]);
});

test('quiet tells what goes wrong and the totals, verbose also what stages write', () => {
  const said = (detail: 'quiet' | 'verbose'): string[] => {
    const lines: string[] = [];
    const reporter = plainReporter((line) => lines.push(line), {
      detail,
      logCommand: (id) => `basin log p.yaml '${id}'`,
    });
    reporter.report(started('a'));
    reporter.report({event: 'log', id: id('a'), line: 'batches 1 to 5'});
    reporter.report(finished('a', 'ran'));
    reporter.report({event: 'warning', message: 'A stored output of a is missing.'});
    reporter.report({event: 'run-finished', ran: 1, cached: 0, cutOff: 0, failed: 0, skipped: 0, seconds: 3});
    return lines;
  };
  expect(said('quiet')).toEqual(['warning A stored output of a is missing.', 'ran 1, cached 0 in 3.0 s']);
  expect(said('verbose')).toContain('  │ a: batches 1 to 5');
});

test('where a line does not fit, the epoch goes first, then the loss, and the middle of a long id; step and time left stay', () => {
  const name = 'finetune-A-with-a-long-name';
  const view = viewOf([
    {event: 'run-started', pipeline: 'p', instances: 4, verdicts},
    started(name),
    {event: 'instance-progress', id: id(name), step: 1, steps: 500},
    {event: 'instance-progress', id: id(name), step: 100, steps: 500, epoch: 3.125, loss: 0.75},
  ]);
  const at = (columns: number) => liveLines(view, 4000, 0, columns)[1];
  expect(at(80)).toBe('  finetune-A-with-a-long-name 100/500 · epoch 3.13 · loss 0.750 · 16.0 s left');
  expect(at(70)).toBe('  finetune-A-with-a-long-name 100/500 · loss 0.750 · 16.0 s left');
  expect(at(60)).toBe('  finetune-A-with-a-long-name 100/500 · 16.0 s left');
  expect(at(40)).toBe('  finetune…ng-name 100/500 · 16.0 s left');
  for (let columns = 1; columns <= 100; columns++) expect(at(columns)?.length).toBeLessThanOrEqual(columns);
});

test('prose is broken between words and keeps its indent; a word that is too long stays whole', () => {
  expect(wrapWords('Lower lr, or set `clip: 1`.', 14, '  ')).toEqual(['  Lower lr, or', '  set `clip:', '  1`.']);
  expect(wrapWords('see /a/very/long/path now', 8)).toEqual(['see', '/a/very/long/path', 'now']);
  expect(wrapWords('', 8)).toEqual(['']);
  expect(wrapWords('one line', Number.POSITIVE_INFINITY, '  ')).toEqual(['  one line']);
});

test('the time left of what went on from a checkpoint counts only the steps it has done itself', () => {
  const view = viewOf([
    {event: 'run-started', pipeline: 'p', instances: 4, verdicts},
    started('a'),
    {event: 'instance-progress', id: id('a'), step: 901, steps: 1000},
    {event: 'instance-progress', id: id('a'), step: 950, steps: 1000},
  ]);
  expect(liveLines(view, 10_000, 0, 80)[1]).toBe('  a 950/1000 · 10.0 s left');
});
