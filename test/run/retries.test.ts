import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import type {RunEvent} from '../../src/run/event.ts';
import {failures} from '../commands/told.ts';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';

const warnings = (run: RigRun): readonly string[] =>
  run.events.flatMap((event) => (event.event === 'warning' ? [event.message] : []));

const failureOf = (run: RigRun) =>
  run.events.find((event): event is RunEvent & {event: 'instance-finished'} => event.event === 'instance-finished')
    ?.failure;

const mortal = (deaths: number, retries?: number): string =>
  `stages:\n  m: {uses: mortal, with: {deaths: ${deaths}}${retries === undefined ? '' : `, retries: ${retries}`}}\n`;

test('an instance whose worker dies is tried again from its checkpoint, and each retry is told', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run(mortal(2, 2));
  expect(run.totals).toMatchObject({ran: 1, failed: 0});
  expect(warnings(run)).toEqual([
    'The worker process of m ended with exit code 9; it is tried again (1 of 2).',
    'The worker process of m ended with exit code 9; it is tried again (2 of 2).',
  ]);
  // The third life went on from what the second had saved, and that from the first.
  expect(run.records[0]?.outputs.summary?.inline).toEqual([{value: 3}]);
  expect(await rig.executions()).toBe(3);
});

test('a worker that dies once more than there are retries fails its instance, and the next run goes on from its checkpoint', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run(mortal(2, 1));
  expect(run.totals).toMatchObject({ran: 0, failed: 1});
  expect(warnings(run)).toHaveLength(1);
  const again = await rig.run(mortal(2));
  expect(again.records[0]?.outputs.summary?.inline).toEqual([{value: 3}]);
});

test('without retries a dead worker is not tried again', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run(mortal(1));
  expect(run.totals).toMatchObject({ran: 0, failed: 1});
  expect(await rig.executions()).toBe(1);
});

test('a stage that says what is wrong would say it again, so it is not tried again', async () => {
  await using rig = await PipelineRig.create();
  for (const how of ['stage-error', 'exception']) {
    const before = await rig.executions();
    const run = await rig.run(`stages:\n  m: {uses: fail, with: {how: ${how}}, retries: 5}\n`);
    expect(run.totals).toMatchObject({failed: 1});
    expect(warnings(run)).toEqual([]);
    expect(await rig.executions()).toBe(before + 1);
  }
});

test('retries are in no key', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(mortal(0));
  expect((await rig.run(mortal(0, 7))).totals).toMatchObject({ran: 0, cached: 1});
});

test('a native abort fails its instance alone, with the signal and the last lines of its worker', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run('stages:\n  m: {uses: fail, with: {how: abort}}\n  n: {uses: number, with: {value: 1}}\n', {
    onFailure: 'keep-going',
  });
  const failure = run.events.find(
    (event): event is RunEvent & {event: 'instance-finished'} =>
      event.event === 'instance-finished' && event.outcome === 'failed',
  )?.failure;
  expect(failure?.message).toBe('The worker process ended with signal SIGABRT.');
  expect(failure?.logTail).toContain('line 25 of native code');
  expect(failure?.logTail).not.toContain('line 1 of native code');
  expect(run.totals).toMatchObject({ran: 1, failed: 1});
});

test('a worker that died without a word is not said to have written something', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run('stages:\n  m: {uses: fail, with: {how: exit}}\n');
  expect(failureOf(run)).toEqual({
    message: 'The worker process ended with exit code 17.',
    hint: 'It wrote nothing before.',
    logTail: [],
  });
});

test('once another node has failed and no more is started, what fails then is not tried again, and is told by its only failure', async () => {
  await using rig = await PipelineRig.create();
  const [failed, attempts] = [join(rig.folder, 'failed'), join(rig.folder, 'attempts')];
  const text = (bad: string): string => `
stages:
  bad: {run: [sh, -c, 'until [ -e "${attempts}" ]; do sleep 0.02; done; exit ${bad}']}
  flaky: {run: [sh, -c, 'echo x >>"${attempts}"; until [ -e "${failed}" ]; do sleep 0.02; done; exit 5'], retries: 3}
`;
  const onEvent = (event: RunEvent): void => {
    if (event.event === 'instance-finished' && event.id === 'bad') writeFileSync(failed, '');
  };
  const run = await rig.run(text('3'), {onEvent});
  expect(run.totals).toMatchObject({ran: 0, failed: 2, skipped: 0});
  expect(warnings(run)).toEqual([]);
  expect(readFileSync(attempts, 'utf8')).toBe('x\n');
  expect(failures(run)).toEqual({
    bad: 'sh ended with exit code 3.\nIt wrote nothing.',
    flaky: 'sh ended with exit code 5.\nIt wrote nothing.',
  });
  for (const file of [failed, attempts]) rmSync(file);
  const kept = await rig.run(text('4'), {onEvent, onFailure: 'keep-going'});
  expect(kept.totals).toMatchObject({ran: 0, failed: 2, skipped: 0});
  expect(readFileSync(attempts, 'utf8')).toBe('x\n'.repeat(4));
});
