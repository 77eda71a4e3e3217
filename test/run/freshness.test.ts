import {expect, test} from 'vitest';
import {PipelineRig} from '../rig/pipeline-rig.ts';

const PIPELINE = `
params:
  alphas: {linspace: [0, 1, 11]}
stages:
  left: {uses: number, with: {value: 12}}
  right: {uses: number, with: {value: 30}}
  sum: {uses: add, in: {a: left.summary, b: right.summary}}
  path: {uses: scale, in: {a: sum.summary}, sweep: {alpha: "\${alphas}"}}
  total: {uses: gather, in: {points: path.points}}
  parity: {uses: mod, in: {a: right.summary}, with: {by: 2}}
  after-parity: {uses: mod, in: {a: parity.summary}, with: {by: 3}}
`;
const ALL = 17;

test('a first run runs everything, and a second runs nothing', async () => {
  await using rig = await PipelineRig.create();
  const first = await rig.run(PIPELINE);
  expect(first.totals).toMatchObject({ran: ALL, cached: 0, cutOff: 0, failed: 0, skipped: 0});
  const second = await rig.run(PIPELINE);
  expect(second.totals).toMatchObject({ran: 0, cached: ALL, cutOff: 0, failed: 0, skipped: 0});
  expect(await rig.executions()).toBe(ALL);
});

test('comments, the order of keys, the way a number is written and the name of the pipeline run nothing', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(PIPELINE);
  const edited = `# a comment\nname: renamed\n${PIPELINE.replace('value: 12', 'value: 12.0')
    .replace('{uses: mod, in: {a: right.summary}, with: {by: 2}}', '{with: {by: 2}, in: {a: right.summary}, uses: mod}')
    .replace('[0, 1, 11]', '[0.0, 1.00, 11]')}`;
  const run = await rig.run(edited);
  expect(run.totals).toMatchObject({ran: 0, cached: ALL});
});

test('twenty-one alphas that contain the old eleven run the ten new ones and what gathers them', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(PIPELINE);
  const run = await rig.run(PIPELINE.replace('[0, 1, 11]', '[0, 1, 21]'));
  expect(run.ran).toHaveLength(11);
  expect(run.ran.filter((id) => id.startsWith('path['))).toHaveLength(10);
  expect(run.ran).toContain('total');
});

test('a parameter runs its own instance and what follows, and nothing beside it', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(PIPELINE);
  const run = await rig.run(PIPELINE.replace('value: 12', 'value: 13'));
  expect(run.ran.filter((id) => !id.startsWith('path['))).toEqual(['left', 'sum', 'total']);
  expect(run.totals).toMatchObject({ran: 14, cached: 3});
});

test('an instance that reran to the same bytes cuts off what follows', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(PIPELINE);
  // 30 → 32: `sum` and its path change, the remainder by 2 does not.
  const run = await rig.run(PIPELINE.replace('value: 30', 'value: 32'));
  expect(run.ran).toContain('parity');
  expect(run.ran).not.toContain('after-parity');
  expect(run.totals).toMatchObject({cutOff: 1, cached: 1});
  const verdicts = Object.fromEntries(run.plan.instances.map(({instance, verdict}) => [instance.id, verdict]));
  expect(verdicts['after-parity']).toBe('run-unless-cut-off');
});

test('two instances with equal work are computed once and shown as two', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run('stages:\n  a: {uses: number, with: {value: 1}}\n  b: {uses: number, with: {value: 1}}\n');
  expect(run.totals).toMatchObject({ran: 1, cached: 1});
  expect(await rig.executions()).toBe(1);
});

test('what plan calls cached, run does not run, and what runs was announced', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(PIPELINE);
  const run = await rig.run(PIPELINE.replace('by: 2', 'by: 4').replace('[0, 1, 11]', '[0, 1, 5]'));
  const cached = run.plan.instances.filter(({verdict}) => verdict === 'cached').map(({instance}) => instance.id);
  expect(cached.filter((id) => run.ran.includes(id))).toEqual([]);
  expect(cached.length).toBeGreaterThan(0);
});
