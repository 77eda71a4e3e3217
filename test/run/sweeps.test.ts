// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {explainInstance} from '../../src/plan/explain.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import {PipelineRig} from '../rig/pipeline-rig.ts';

const swept = (sweep: string): string => `stages:
  n: {uses: number, with: {value: 8}}
  path: {uses: scale, in: {a: n.summary}, with: {alpha: "\${k == 'half' ? 0.5 : double(k)}"}, sweep: ${sweep}}
  total: {uses: gather, in: {points: {from: path.points, over: [k]}}}
`;

test('points are values: another order, another form and another way to write them run nothing', async () => {
  await using rig = await PipelineRig.create();
  const first = await rig.run(swept('{k: [0, 0.25, 1, half]}'));
  expect(first.totals).toMatchObject({ran: 6});
  for (const same of [
    '{k: [half, 1.0, 0.250, 0]}',
    '{zip: {k: [1, 0.25, half, 0]}}',
    '{axes: {k: [0, 0.5, 0.25]}, exclude: [{k: 0.5}], include: [{k: 1}, {k: half}]}',
    '{include: [{k: half}, {k: 0}, {k: 1}, {k: 0.25}]}',
  ]) {
    const run = await rig.run(swept(same));
    expect([same, run.ran]).toEqual([same, []]);
  }
});

test('a row that sets a parameter of one point runs that point and what gathers it', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(swept('{k: [0, 0.25, half]}'));
  const run = await rig.run(swept('{axes: {k: [0, 0.25, half]}, include: [{k: 0.25, alpha: 0.75}]}'));
  expect(run.ran).toEqual(['path[k=0.25]', 'total']);
});

const LEVELS = `stages:
  n:
    uses: more
    in: {a: {from: n.summary, previous: level}}
    with: {by: "\${pow(2, level)}"}
    sweep: {level: {range: [1, 3, 1]}}
`;

test('two more levels run exactly two more, and a change at one runs those after it', async () => {
  await using rig = await PipelineRig.create();
  const first = await rig.run(LEVELS);
  expect(first.records.map((record) => record?.outputs.summary?.inline)).toEqual([
    [{value: 2}],
    [{value: 6}],
    [{value: 14}],
  ]);
  const longer = LEVELS.replace('[1, 3, 1]', '[1, 5, 1]');
  expect((await rig.run(longer)).ran).toEqual(['n[level=4]', 'n[level=5]']);
  const changed = longer.replace(
    '{level: {range: [1, 5, 1]}}',
    '{axes: {level: {range: [1, 5, 1]}}, include: [{level: 4, by: 1}]}',
  );
  expect((await rig.run(changed)).ran).toEqual(['n[level=4]', 'n[level=5]']);
});

/** A sweep in which the points above the limit fail. */
const limited = (limit: number): string => `stages:
  n: {uses: number, sweep: {value: [1, 2, 3]}}
  risky: {uses: at-most, in: {a: n.summary}, with: {limit: ${limit}}}
  path: {uses: scale, in: {a: risky.summary}, sweep: {alpha: [0, 1]}}
  total: {uses: gather, in: {points: {from: path.points, over: [value, alpha]}}}
  each: {uses: gather, in: {points: path.points}}
`;

test('what gathers goes on without the points that failed, and runs again when they are there', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run(limited(2), {onFailure: 'keep-going'});
  // risky[value=3] fails; its two points and each[value=3] are skipped
  expect(run.totals).toMatchObject({ran: 3 + 2 + 4 + 1 + 2, failed: 1, skipped: 3});
  expect(run.ran).toContain('total');
  const total = run.plan.instances.findIndex(({instance}) => instance.id === 'total');
  expect(run.records[total]?.outputs.summary?.inline).toEqual([{value: 3, count: 4, last_alpha: 1}]);
  expect(run.without.get(total)).toHaveLength(2);
  expect(run.events).toContainEqual({
    event: 'warning',
    message: 'total goes on without what failed: path[value=3,alpha=0], path[value=3,alpha=1].',
  });
  const again = await rig.run(limited(2), {onFailure: 'keep-going'});
  expect(again.totals).toMatchObject({ran: 0, cached: 11, cutOff: 1, failed: 1, skipped: 3});
  const mended = await rig.run(limited(3));
  expect(mended.ran).toEqual(
    [
      'each[value=3]',
      'path[value=3,alpha=0]',
      'path[value=3,alpha=1]',
      ...[1, 2, 3].map((v) => `risky[value=${v}]`),
      'total',
    ].sort(),
  );
  expect(mended.without.size).toBe(0);
});

test('when no point is there, what gathers is skipped; without --keep-going it always is', async () => {
  await using rig = await PipelineRig.create();
  const none = await rig.run(limited(0), {onFailure: 'keep-going'});
  expect(none.totals).toMatchObject({ran: 3, failed: 3, skipped: 10});
  const stopped = await rig.run(limited(2), {jobs: 1});
  expect(stopped.ran).not.toContain('total');
  expect(stopped.without.size).toBe(0);
});

test('what ran under one pipeline is cached under another that uses it', async () => {
  await using rig = await PipelineRig.create();
  const base =
    'stages:\n  slow: {uses: sleepless-train, with: {steps: 3}}\n  other: {uses: number, with: {value: 1}}\n';
  await writeFile(join(rig.folder, 'base.yaml'), base);
  await rig.run(base);
  const run = await rig.run('use: ./base.yaml\nstages:\n  m: {uses: mod, in: {a: base.slow.summary}, with: {by: 2}}\n');
  expect(run.ran).toEqual(['m']);
  expect(run.totals).toMatchObject({ran: 1, cached: 1});
});

test('an edit in a file that is used is explained in the pipelines that use it, by their names', async () => {
  await using rig = await PipelineRig.create();
  const base = join(rig.folder, 'base.yaml');
  const main = 'use: ./base.yaml\nstages:\n  m: {uses: mod, in: {a: base.slow.summary}, with: {by: 2}}\n';
  await writeFile(base, 'stages:\n  slow: {uses: sleepless-train, with: {steps: 3}}\n');
  await rig.run(main);
  await writeFile(base, 'stages:\n  slow: {uses: sleepless-train, with: {steps: 4}}\n');
  const graph = rig.graph(main);
  const told = await rig.withStore(async (store) => {
    const plan = await makePlan(graph, {store, numerics: 'none'});
    return ['base.slow', 'm'].map((id) => explainInstance(graph, plan, store, id)?.changes);
  });
  expect(told).toEqual([
    [{path: 'params.steps', before: 3, after: 4}],
    [{path: 'inputs.a', before: expect.stringMatching(/^[0-9a-f]{64}$/), after: {awaits: 'base.slow'}}],
  ]);
});
