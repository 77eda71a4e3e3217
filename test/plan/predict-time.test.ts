import {expect, test} from 'vitest';
import type {Graph} from '../../src/graph/graph.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import {predictTime} from '../../src/plan/predict-time.ts';
import type {Store} from '../../src/store/store.ts';
import {runGraph} from '../rig/cached-graph.ts';
import {connectivityGraph} from '../rig/connectivity-graph.ts';
import {temporaryStore} from '../rig/temporary-store.ts';

const predict = async (graph: Graph, store: Store, jobs: number) =>
  predictTime(graph, await makePlan(graph, {store, numerics: 'n1'}), store, jobs);

test('of a first run nothing is known', async () => {
  const time = await predict(connectivityGraph(), await temporaryStore(), 2);
  expect(time).toEqual({instances: connectivityGraph().instances.map(() => undefined), total: 0, unknown: 7});
});

test('what is cached takes no time; what runs again takes what it took, what is new what its stage took', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store, 'n1', undefined, (stage) => (stage === 'interpolate' ? 0.25 : 1));
  expect(await predict(connectivityGraph(), store, 2)).toMatchObject({total: 0, unknown: 0});
  const edited = connectivityGraph({seedB: 3});
  const time = await predict(edited, store, 1);
  const byId = Object.fromEntries(edited.instances.map(({id, index}) => [id, time.instances[index]]));
  expect(byId).toMatchObject({load: 0, A: 0, B: 1, 'interpolate[alpha=0]': 0.25, barrier: 1});
  // B, three points one after another, and the barrier; side by side the longest path is left.
  expect(time.total).toBe(1 + 3 * 0.25 + 1);
  expect((await predict(edited, store, 100)).total).toBe(1 + 0.25 + 1);
});
