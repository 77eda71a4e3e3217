import {expect, test} from 'vitest';
import type {Graph} from '../../src/graph/graph.ts';
import {explainInstance} from '../../src/plan/explain.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {Store} from '../../src/store/store.ts';
import {runGraph} from '../rig/cached-graph.ts';
import {connectivityGraph} from '../rig/connectivity-graph.ts';
import {graphOf} from '../rig/hand-made-graph.ts';
import {temporaryStore} from '../rig/temporary-store.ts';

const HEX = expect.stringMatching(/^[0-9a-f]{64}$/);
const explained = async (graph: Graph, store: Store, id: string) =>
  explainInstance(graph, await makePlan(graph, {store, numerics: 'n1'}), store, id);

test('a changed parameter is named with both values', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  expect(await explained(connectivityGraph({lr: 0.001}), store, 'B')).toMatchObject({
    instance: 'B',
    verdict: 'run',
    changes: [{path: 'params.lr', before: 0.0005, after: 0.001}],
  });
});

test('an input whose upstream will run names it', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  const graph = connectivityGraph({lr: 0.001});
  expect((await explained(graph, store, 'interpolate[alpha=0.5]'))?.changes).toEqual([
    {path: 'inputs.b', before: HEX, after: {awaits: 'B'}},
  ]);
  expect((await explained(graph, store, 'barrier'))?.changes).toEqual(
    [0, 0.5, 1].map((alpha) => ({
      path: `inputs.points[alpha=${alpha}]`,
      before: HEX,
      after: {awaits: `interpolate[alpha=${alpha}]`},
    })),
  );
});

test('a member that is new to a gathered input is one line', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  expect((await explained(connectivityGraph({alphas: [0, 0.25, 0.5, 1]}), store, 'barrier'))?.changes).toEqual([
    {path: 'inputs.points[alpha=0.25]', before: undefined, after: {awaits: 'interpolate[alpha=0.25]'}},
  ]);
});

test('what is cached has no changes now, and says what had changed when it ran', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  expect(await explained(connectivityGraph(), store, 'B')).toMatchObject({changes: [], lastChanges: []});
  await runGraph(connectivityGraph({seedB: 3}), store);
  expect(await explained(connectivityGraph({seedB: 3}), store, 'B')).toMatchObject({
    verdict: 'cached',
    changes: [],
    lastChanges: [{path: 'params.seed', before: 2, after: 3}],
  });
});

test('what was gone back to says what had changed when it ran, and not when it was left', async () => {
  const store = await temporaryStore();
  for (const seedB of [2, 3, 4, 3, 2]) await runGraph(connectivityGraph({seedB}), store);
  expect(await explained(connectivityGraph({seedB: 2}), store, 'B')).toMatchObject({
    verdict: 'cached',
    changes: [],
    lastChanges: [],
  });
  await runGraph(connectivityGraph({seedB: 3}), store);
  expect((await explained(connectivityGraph({seedB: 3}), store, 'B'))?.lastChanges).toEqual([
    {path: 'params.seed', before: 2, after: 3},
  ]);
});

test('an instance that never ran is compared with the nearest record of its stage', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  const [load, a] = connectivityGraph().instances;
  if (!load || !a) throw new Error('no instances');
  const graph = graphOf([
    {id: 'load', stage: load.stage, params: load.params},
    {id: 'C', stage: a.stage, params: {lr: 0.0005, seed: 9}, inputs: {weights: 'load.weights'}},
  ]);
  const explanation = await explained(graph, store, 'C');
  expect(explanation?.reason).toEqual({why: 'never-run'});
  expect(explanation?.changes).toEqual([{path: 'params.seed', before: expect.any(Number), after: 9}]);
});

test('an instance that the graph does not have has no explanation', async () => {
  const store = await temporaryStore();
  expect(await explained(connectivityGraph(), store, 'D')).toBeUndefined();
});
