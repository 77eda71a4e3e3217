import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import type {RunEvent} from '../../src/run/event.ts';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';
import {faultsOf} from '../rig/read-text.ts';

const choosing = (weights: string, more = '', scores = 'nets.summary'): string => `stages:
  nets: {uses: network, with: {splits: [validation, test]}, sweep: {weight: ${weights}}}
  best: {uses: select, in: {weights: nets.weights, scores: ${scores}}, with: {by: error${more}}}
  below: {uses: weigh, in: {weights: best.weights}}
`;

const tableOf = (run: RigRun, id: string) =>
  run.records[run.plan.instances.findIndex(({instance}) => instance.id === id)]?.outputs.summary?.inline;
const messageOf = (run: RigRun, id: string) =>
  run.events.find((event): event is RunEvent & {event: 'instance-finished'} => 'failure' in event && event.id === id)
    ?.failure?.message;

test('the best is passed on byte for byte, and only another winner runs what is below', async () => {
  await using rig = await PipelineRig.create();
  const first = await rig.run(choosing('[1, 2.5, 7]'));
  expect(tableOf(first, 'best')).toEqual([{chosen: 'weight=2.5', by: 'error', score: 0.5, candidates: 3}]);
  expect(tableOf(first, 'below')).toEqual([{value: 2.5}]);
  const [net, best] = ['nets[weight=2.5]', 'best'].map(
    (id) => first.records[first.plan.instances.findIndex(({instance}) => instance.id === id)]?.outputs.weights?.digest,
  );
  expect(best).toBe(net);
  const losers = await rig.run(choosing('[1, 2.5, 9, 10]'));
  expect(losers.ran).toEqual(['best', 'nets[weight=10]', 'nets[weight=9]']);
  expect(losers.totals).toMatchObject({cutOff: 1});
  const winner = await rig.run(choosing('[1, 2.5, 3]'));
  expect(winner.ran).toEqual(['below', 'best', 'nets[weight=3]']);
  const worst = await rig.run(choosing('[1, 2.5, 9]', ', best: max'));
  expect(tableOf(worst, 'best')).toEqual([{chosen: 'weight=9', by: 'error', score: 6, candidates: 3}]);
});

test('"over" leaves the other axes, and what is chosen along them is apart', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run(`stages:
  nets: {uses: network, sweep: {axes: {k: [0, 4], lr: [1, 2]}}, with: {weight: "\${k + lr}"}}
  best: {uses: select, in: {weights: {from: nets.weights, over: [lr]}, scores: {from: nets.summary, over: [lr]}}, with: {by: error}}
  below: {uses: weigh, in: {weights: best.weights}}
`);
  expect(['below[k=0]', 'below[k=4]'].map((id) => tableOf(run, id))).toEqual([[{value: 2}], [{value: 5}]]);
});

test('choosing by test is refused where there are scores on validation, and so is what has no such score', async () => {
  await using rig = await PipelineRig.create();
  const byTest = await rig.run(choosing('[1, 2]', ', split: test'), {onFailure: 'keep-going'});
  expect(messageOf(byTest, 'best')).toBe(
    'Choosing by the split test is refused, since there are scores on validation.',
  );
  const onlyTest = choosing('[1, 2]', ', split: test').replace('[validation, test]', '[test]');
  expect((await rig.run(onlyTest)).totals).toMatchObject({failed: 0});
  const none = await rig.run(onlyTest.replace(', split: test', ''), {onFailure: 'keep-going'});
  expect(messageOf(none, 'best')).toBe('No score is of the split validation.');
});

test('a row that does not tell which candidate is the best is left to `where`, which is in no key where it is not given', async () => {
  await using rig = await PipelineRig.create();
  const first = await rig.run(choosing('[1, 2.5]'));
  expect((await rig.run(choosing('[1, 2.5]', ', where: {}'))).ran).toEqual([]);
  const picked = await rig.run(choosing('[1, 2.5]', ', where: {split: validation}'));
  expect(picked.ran).toEqual(['best']);
  expect(tableOf(picked, 'best')).toEqual(tableOf(first, 'best'));
});

test('a candidate whose scores failed is left out, and it is said', async () => {
  await using rig = await PipelineRig.create();
  const text = `stages:
  nets: {uses: network, sweep: {weight: [1, 2.5, 7]}}
  scores:
    run: [sh, -c, 'test "$1" != 1 && echo "[{\\"error\\": $1.0}]" > $2', sh, "\${weight}", "\${out.summary}"]
    in: {net: nets.weights}
    out: {summary: {kind: summary, columns: {error: float64}}}
  best: {uses: select, in: {weights: nets.weights, scores: scores.summary}, with: {by: error, best: max}}
`;
  const run = await rig.run(text.replaceAll('2.5', '3'), {onFailure: 'keep-going'});
  expect(tableOf(run, 'best')).toEqual([{chosen: 'weight=7', by: 'error', score: 7, candidates: 2}]);
  expect(run.without.size).toBe(1);
});

test('a damaged winner is computed again by who made it', async () => {
  await using rig = await PipelineRig.create();
  const first = await rig.run(choosing('[1, 2]'));
  const digest = first.records[1]?.outputs.weights?.digest ?? '';
  const blobs = join(rig.cache, 'blobs');
  const path = (await readdir(blobs, {recursive: true})).find((name) => name.includes(digest.slice(2)));
  await rm(join(blobs, path ?? 'none'));
  const run = await rig.run(choosing('[1, 2, 8]'));
  expect(run.totals).toMatchObject({failed: 0, skipped: 0});
  expect(run.ran).toContain('nets[weight=2]');
});

test('what is not connected cannot be taken', () => {
  const text = `${choosing('[1, 2]')}  mask: {uses: select, in: {mask: best.mask, scores: nets.summary}, with: {by: error}}\n`;
  expect(faultsOf(text)).toBe(`p.yaml:5:35 unknown-artifact
The node "best" has no artifact "mask".
    mask: {uses: select, in: {mask: best.mask, scores: nets.summary}, with: {by: error}}
                                    ^^^^^^^^^
The artifacts of "best" are: weights, summary.`);
});
