import {expect, test} from 'vitest';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';

const pipeline = (weights: string, over = ''): string => `stages:
  nets: {uses: network, sweep: {weight: ${weights}}}
  soup: {uses: merge-linear, in: {weights: {from: nets.weights${over}}}}
  below: {uses: weigh, in: {weights: soup.weights}}
`;
const weightBelow = (run: RigRun, id: string) =>
  run.records[run.plan.instances.findIndex(({instance}) => instance.id === id)]?.outputs.summary?.inline;

test('a stage that opens what it gathers gets every network of a sweep, and another one moves its key', async () => {
  await using rig = await PipelineRig.create();
  const first = await rig.run(pipeline('[1, 2.5, 7]'));
  expect(weightBelow(first, 'below')).toEqual([{value: 3.5}]);
  const more = await rig.run(pipeline('[1, 2.5, 7, 4]', ', over: [weight]'));
  expect(more.ran).toEqual(['below', 'nets[weight=4]', 'soup']);
  expect(weightBelow(more, 'below')).toEqual([{value: 3.625}]);
});
