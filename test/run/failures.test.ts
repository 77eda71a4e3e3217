import {readdir, rm, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import type {RunEvent} from '../../src/run/event.ts';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';
import {writable} from '../rig/writable.ts';

const failureOf = (run: RigRun, id: string) =>
  run.events.find(
    (event): event is RunEvent & {event: 'instance-finished'} =>
      event.event === 'instance-finished' && event.id === id && event.outcome === 'failed',
  )?.failure;

const withFailure = (how: string): string => `
stages:
  bad: {uses: fail, with: {how: ${how}}}
  below: {uses: add, in: {a: bad.summary, b: good.summary}}
  good: {uses: number, with: {value: 1}}
  slow: {uses: sleepless-train, with: {steps: 20}}
  after-slow: {uses: mod, in: {a: slow.summary}, with: {by: 7}}
`;

test('a failed stage says what and what to do, and what is below it is skipped', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run(withFailure('stage-error'), {onFailure: 'keep-going'});
  expect(failureOf(run, 'bad')).toEqual({message: 'This stage always fails.', hint: 'Use another stage.'});
  expect(run.totals).toMatchObject({ran: 3, failed: 1, skipped: 1});
});

test('every instance ends in one outcome, whatever a failure does to the rest', async () => {
  for (const onFailure of ['finish-running', 'keep-going', 'fail-fast'] as const) {
    await using rig = await PipelineRig.create();
    const {totals} = await rig.run(withFailure('stage-error'), {onFailure, jobs: 1});
    expect(totals.ran + totals.cached + totals.cutOff + totals.failed + totals.skipped).toBe(5);
  }
});

test('a worker process that dies fails its instance alone', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run(withFailure('exit'), {onFailure: 'keep-going'});
  expect(failureOf(run, 'bad')?.message).toBe('The worker process ended with exit code 17.');
  expect(run.totals).toMatchObject({ran: 3, failed: 1, skipped: 1});
});

test('a stage that blocks its worker is stopped at its time-out all the same, and the others go on', async () => {
  await using rig = await PipelineRig.create();
  const text = `stages:
  stuck: {uses: fail, with: {how: block}, timeout: 0.2s}
  next: {uses: number, with: {value: 1}}
`;
  const run = await rig.run(text, {jobs: 1, onFailure: 'keep-going'});
  expect(failureOf(run, 'stuck')?.message).toBe(
    'It took longer than its time-out of 0.2 s. Its worker did not answer and was ended.',
  );
  expect(run.totals).toMatchObject({ran: 1, failed: 1});
});

test('an exception of the stage is called a bug and carries its stack', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run(withFailure('exception'), {onFailure: 'keep-going'});
  expect(failureOf(run, 'bad')?.hint).toMatch(/bug/);
  expect(failureOf(run, 'bad')?.logTail?.join('\n')).toMatch(/asked for/);
});

test('after the failure is mended, only what did not run runs', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(withFailure('stage-error'), {onFailure: 'keep-going'});
  const mended = withFailure('x').replace('{uses: fail, with: {how: x}}', '{uses: number, with: {value: 5}}');
  expect((await rig.run(mended)).ran).toEqual(['bad', 'below']);
});

test('stopping ends what runs at its next step, skips the rest, and loses nothing that is done', async () => {
  await using rig = await PipelineRig.create();
  const text = `
stages:
  first: {uses: number, with: {value: 3}}
  long: {uses: sleepless-train, with: {steps: 100000000}}
  after: {uses: mod, in: {a: long.summary}, with: {by: 7}}
`;
  const stop = new AbortController();
  const run = await rig.run(text, {
    stop: stop.signal,
    onEvent: (event) => {
      if (event.event === 'instance-progress') stop.abort();
    },
  });
  expect(run.interrupted).toBe(true);
  expect(run.totals).toMatchObject({ran: 1, failed: 0, skipped: 2});
  expect((await rig.plan(text)).instances.map(({verdict}) => verdict).filter((v) => v === 'cached')).toHaveLength(1);
});

const CHAIN = `
stages:
  a: {uses: number, with: {value: 8}}
  b: {uses: mod, in: {a: a.summary}, with: {by: 5}}
  c: {uses: mod, in: {a: b.summary}, with: {by: 2}}
`;

async function blobs(rig: PipelineRig): Promise<string[]> {
  const files = await readdir(join(rig.cache, 'blobs'), {recursive: true, withFileTypes: true});
  return files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
}

test('a damaged blob is a miss: it is reported, made again, and never used', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(CHAIN);
  for (const path of await blobs(rig)) await writeFile(writable(path), Buffer.alloc(3, 'x'), {flag: 'r+'});
  // by 2 → by 3: c runs and needs b, whose blob has the right size and other bytes.
  const run = await rig.run(CHAIN.replace('by: 2', 'by: 3'));
  expect(run.events.filter(({event}) => event === 'warning').length).toBeGreaterThan(0);
  expect(run.totals).toMatchObject({failed: 0, skipped: 0});
  expect(run.ran).toContain('c');
  expect(run.records[2]?.outputs.summary?.inline).toEqual([{value: 0}]);
  expect((await rig.run(CHAIN.replace('by: 2', 'by: 3'))).totals).toMatchObject({ran: 0, cached: 3});
});

test('a missing or truncated payload that something needs is computed again, and what nothing needs is not', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(CHAIN);
  for (const path of await blobs(rig)) await truncate(writable(path), 10);
  expect((await rig.run(CHAIN)).totals).toMatchObject({ran: 0, cached: 3});
  for (const path of await blobs(rig)) await rm(path);
  const run = await rig.run(CHAIN.replace('by: 2', 'by: 3'));
  expect(run.ran).toEqual(['a', 'b', 'c']);
});

test('two runs at once on one store share the work', async () => {
  await using rig = await PipelineRig.create();
  const text = Array.from(
    {length: 8},
    (_, i) => `  n${i}: {uses: sleepless-train, with: {steps: 200, seed: ${i}}}`,
  ).join('\n');
  const runs = await Promise.all([rig.run(`stages:\n${text}\n`), rig.run(`stages:\n${text}\n`)]);
  for (const {totals} of runs) expect(totals.ran + totals.cached).toBe(8);
  expect(await rig.executions()).toBe(8);
});

const EQUAL_FAILURES = `stages:
  zero: {uses: number, with: {value: 0}}
  one: {uses: at-most, in: {a: zero.summary}, with: {limit: -1}}
  same: {uses: at-most, in: {a: zero.summary}, with: {limit: -1}}
  slow: {uses: sleepless-train, with: {steps: 300}}
  none: {uses: mod, in: {a: slow.summary}, with: {by: 1}}
  later: {uses: at-most, in: {a: none.summary}, with: {limit: -1}}
`;

test('equal work that failed is not tried again in the same run, by whom waited for it or by whom comes to it later', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run(EQUAL_FAILURES, {onFailure: 'keep-going'});
  for (const id of ['one', 'same', 'later']) expect(failureOf(run, id)).toEqual({message: '0 is more than -1.'});
  expect((await rig.lines()).filter((line) => line.startsWith('at-most'))).toHaveLength(1);
  expect(run.totals).toMatchObject({ran: 3, failed: 3, skipped: 0});
  const again = await rig.run(EQUAL_FAILURES, {onFailure: 'keep-going'});
  expect((await rig.lines()).filter((line) => line.startsWith('at-most'))).toHaveLength(2);
  expect(again.totals).toMatchObject({cached: 3, failed: 3});
});

test('equal work under other terms is tried all the same: it may have what the first lacked', async () => {
  await using rig = await PipelineRig.create();
  const text = `stages:
  modest: {uses: number, with: {value: 1}}
  greedy: {uses: number, with: {value: 1}, resources: {gpu: 9}}
`;
  const run = await rig.run(text, {onFailure: 'keep-going', machine: {gpus: ['0'], amounts: {}, each: {}}});
  expect(failureOf(run, 'greedy')?.message).toContain('needs more than this machine has');
  expect(run.totals).toMatchObject({ran: 1, failed: 1});
});
