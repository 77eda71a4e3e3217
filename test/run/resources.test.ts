import {expect, test} from 'vitest';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';

const tableOf = (run: RigRun, id: string) =>
  run.records[run.plan.instances.findIndex(({instance}) => instance.id === id)]?.outputs.summary?.inline?.[0];

test('instances that need a GPU run side by side, each on one of its own; what its worker sees of it is its id', async () => {
  await using rig = await PipelineRig.create();
  const text = 'stages: {meet: {uses: meeting, with: {together: 2}, resources: {gpu: 1}, sweep: {who: [1, 2]}}}\n';
  const run = await rig.run(text, {machine: {gpus: ['3', 'GPU-8f'], amounts: {}, each: {}}});
  expect(run.totals).toMatchObject({ran: 2});
  expect([1, 2].map((who) => tableOf(run, `meet[who=${who}]`)?.gpus).sort()).toEqual(['3', 'GPU-8f']);
});

test('of a mutex one runs at a time, whatever else could', async () => {
  await using rig = await PipelineRig.create();
  await rig.run('stages: {m: {uses: meeting, mutex: disk, sweep: {who: [1, 2, 3, 4, 5, 6]}}}\n', {jobs: 3});
  const lines = await rig.lines();
  expect(lines).toHaveLength(12);
  for (let at = 0; at < 12; at += 2) expect(lines[at + 1]).toBe(lines[at]?.replace('begin', 'end'));
});

test('a mutex holds for two drivers on one store, and the one that waits says so', async () => {
  await using rig = await PipelineRig.create();
  const text = (who: string) => `stages: {m: {uses: meeting, mutex: disk, sweep: {who: [${who}]}}}\n`;
  const runs = await Promise.all([rig.run(text('1, 2, 3')), rig.run(text('4, 5, 6'))]);
  const lines = await rig.lines();
  expect(lines).toHaveLength(12);
  for (let at = 0; at < 12; at += 2) expect(lines[at + 1]).toBe(lines[at]?.replace('begin', 'end'));
  const warnings = runs.flatMap(({events}) => events.flatMap((one) => (one.event === 'warning' ? [one.message] : [])));
  const busy = expect.stringMatching(/^Another basin has the mutex "disk" of m\[who=\d\]; waiting for it\.$/);
  expect(warnings).toContainEqual(busy);
});

test("threads are the worker's for its life; a place with other threads has a worker of its own, and equal ones share", async () => {
  await using rig = await PipelineRig.create();
  const text = `stages:
  one: {uses: meeting, with: {who: 1}}
  two: {uses: meeting, with: {who: 2}, in: {a: one.summary}, resources: {threads: 3}}
  three: {uses: meeting, with: {who: 3}, in: {a: two.summary}, resources: {threads: 3}}
`;
  const run = await rig.run(text, {jobs: 1, machine: {gpus: [], amounts: {threads: 4}, each: {threads: 1}}});
  expect(['one', 'two', 'three'].map((id) => tableOf(run, id)?.threads)).toEqual([1, 3, 3]);
  const pids = ['one', 'two', 'three'].map((id) => tableOf(run, id)?.pid);
  expect(pids[1]).toBe(pids[2]);
  expect(pids[0]).not.toBe(pids[1]);
});

test('a worker that lies idle on a GPU is gone before another is given that GPU', async () => {
  await using rig = await PipelineRig.create();
  const text = `stages:
  one: {uses: meeting, with: {who: 1}, resources: {gpu: 1}}
  two: {uses: meeting, with: {who: 2}, in: {a: one.summary}, resources: {gpu: 2}}
`;
  const run = await rig.run(text, {machine: {gpus: ['0', '1'], amounts: {}, each: {}}});
  expect(tableOf(run, 'two')?.gpus).toBe('0,1');
  expect(() => process.kill(Number(tableOf(run, 'one')?.pid), 0)).toThrow('ESRCH');
});

test('what it needs is in no key', async () => {
  await using rig = await PipelineRig.create();
  const text = (more: string) => `stages: {n: {uses: number, with: {value: 1}${more}}}\n`;
  await rig.run(text(''));
  const machine = {gpus: [], amounts: {memory: 1e12, oven: 3}, each: {}};
  const run = await rig.run(text(', resources: {memory: 8GB, oven: 2}, mutex: kitchen'), {machine});
  expect(run.totals).toMatchObject({ran: 0, cached: 1});
});

test('what the rest waits for longest goes first: by steps when nothing has run, else by recorded seconds', async () => {
  await using rig = await PipelineRig.create();
  const text = (steps: number, first: number) => `stages:
  one-step: {uses: sleepless-train, with: {steps: ${steps}}}
  three-1: {uses: number, with: {value: ${first}}}
  three-2: {uses: mod, in: {a: three-1.summary}, with: {by: 3}}
  three-3: {uses: mod, in: {a: three-2.summary}, with: {by: 4}}
`;
  const started = (run: RigRun) =>
    run.events.flatMap((event) => (event.event === 'instance-started' ? [String(event.id)] : []));
  expect(started(await rig.run(text(20_000, 2), {jobs: 1}))).toEqual(['three-1', 'three-2', 'one-step', 'three-3']);
  expect(started(await rig.run(text(20_001, 4), {jobs: 1}))[0]).toBe('one-step');
});

test.for(['finish-running', 'keep-going'] as const)(
  'what no machine here can give fails by name and is not left waiting: %s',
  async (onFailure) => {
    await using rig = await PipelineRig.create();
    const text = `stages:
  small: {uses: number, with: {value: 1}}
  large: {uses: number, with: {value: "\${v}"}, resources: {threads: 3}, sweep: {v: [2, 3]}}
  below: {uses: mod, in: {a: large.summary}, with: {by: 2}}
`;
    const machine = {gpus: [], amounts: {threads: 2}, each: {threads: 1}};
    const run = await rig.run(text, {machine, onFailure});
    const {ran, failed, skipped} = run.totals;
    expect([ran, failed, skipped]).toEqual(onFailure === 'keep-going' ? [1, 2, 2] : [0, 1, 4]);
    const failures = run.events.flatMap((one) =>
      one.event === 'instance-finished' && one.failure ? [one.failure] : [],
    );
    expect(failures[0]?.message).toBe('large[v=2] needs more than this machine has of: threads.');
  },
);
