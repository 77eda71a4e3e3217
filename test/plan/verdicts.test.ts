import {rm} from 'node:fs/promises';
import {expect, test} from 'vitest';
import type {Graph} from '../../src/graph/graph.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import {reasonText} from '../../src/plan/reason-text.ts';
import type {SourceResolver} from '../../src/stage/source.ts';
import type {Store} from '../../src/store/store.ts';
import {runGraph} from '../rig/cached-graph.ts';
import {connectivityGraph} from '../rig/connectivity-graph.ts';
import {declaredStage, graphOf} from '../rig/hand-made-graph.ts';
import {temporaryStore} from '../rig/temporary-store.ts';

/** `id: verdict, why` of every instance. */
async function verdicts(
  graph: Graph,
  store: Store,
  numerics: string | undefined = 'n1',
): Promise<Record<string, string>> {
  const {instances} = await makePlan(graph, {store, numerics});
  return Object.fromEntries(
    instances.map(({instance, verdict, reason}) => [
      instance.id,
      verdict === 'cached' ? 'cached' : `${verdict}: ${reasonText(reason)}`,
    ]),
  );
}
const allCached = (graph: Graph) => Object.fromEntries(graph.instances.map(({id}) => [id, 'cached']));

test('nothing has run in an empty store, and planning leaves it empty', async () => {
  const store = await temporaryStore();
  const plan = await verdicts(connectivityGraph(), store);
  expect(new Set(Object.values(plan))).toEqual(new Set(['run: has not run before']));
});

test('after a run everything is cached, key and record in hand', async () => {
  const store = await temporaryStore();
  const {ran} = await runGraph(connectivityGraph(), store);
  expect(ran).toHaveLength(7);
  expect(await verdicts(connectivityGraph(), store)).toEqual(allCached(connectivityGraph()));
  const {instances} = await makePlan(connectivityGraph(), {store, numerics: 'n1'});
  for (const {key, record} of instances) expect(record?.key).toBe(key);
});

test('a new seed of one of a pair runs it and what follows, and nothing beside it', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  expect(await verdicts(connectivityGraph({seedB: 3}), store)).toEqual({
    load: 'cached',
    A: 'cached',
    B: 'run: seed 2 → 3',
    'interpolate[alpha=0]': 'run-unless-cut-off: B runs',
    'interpolate[alpha=0.5]': 'run-unless-cut-off: B runs',
    'interpolate[alpha=1]': 'run-unless-cut-off: B runs',
    barrier: 'run-unless-cut-off: interpolate[alpha=0], interpolate[alpha=0.5], interpolate[alpha=1] run',
  });
  expect((await runGraph(connectivityGraph({seedB: 3}), store)).ran).toEqual([
    'B',
    'interpolate[alpha=0]',
    'interpolate[alpha=0.5]',
    'interpolate[alpha=1]',
    'barrier',
  ]);
});

test('an edit that is taken back runs nothing', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  await runGraph(connectivityGraph({seedB: 3}), store);
  expect(await verdicts(connectivityGraph(), store)).toEqual(allCached(connectivityGraph()));
});

test('upstream that reran to the same bytes cuts off what follows', async () => {
  const store = await temporaryStore();
  const same = (id: string) => (id === 'B' ? 'the same weights' : undefined);
  await runGraph(connectivityGraph(), store, 'n1', same);
  expect((await runGraph(connectivityGraph({seedB: 3}), store, 'n1', same)).ran).toEqual(['B']);
});

test('new points run alone, with what gathers them', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  const more = connectivityGraph({alphas: [0, 0.25, 0.5, 1]});
  expect(await verdicts(more, store)).toEqual({
    ...allCached(more),
    'interpolate[alpha=0.25]': 'run: has not run before',
    barrier: 'run: interpolate[alpha=0.25] runs',
  });
});

test('what awaits upstream and was never run with these parameters cannot be cut off', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  const plan = await verdicts(connectivityGraph({seedB: 3, barrier: 'maximum'}), store);
  expect(plan.barrier).toBe(
    'run: definition linear → maximum; interpolate[alpha=0], interpolate[alpha=0.5], interpolate[alpha=1] run',
  );
});

test('a record whose known inputs differ cannot serve, even if its parameters agree', async () => {
  const store = await temporaryStore();
  const stage = declaredStage('join', {inputs: {a: {kind: 'weights', doc: ''}, b: {kind: 'weights', doc: ''}}});
  const load = declaredStage('load');
  const graph = (a: number, b: number) =>
    graphOf([
      {id: 'a', stage: load, params: {seed: a}},
      {id: 'b', stage: load, params: {seed: b}},
      {id: 'join', stage, inputs: {a: 'a.weights', b: 'b.weights'}},
    ]);
  await runGraph(graph(1, 2), store);
  await runGraph(graphOf([{id: 'a', stage: load, params: {seed: 3}}]), store);
  expect((await verdicts(graph(1, 4), store)).join).toBe('run-unless-cut-off: b runs');
  expect((await verdicts(graph(3, 4), store)).join).toBe('run: a changed; b runs');
});

test('other numerics rerun the stages that compute with tensors, and may cut off the rest', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  const plan = await verdicts(connectivityGraph(), store, 'n2');
  expect(plan.load).toBe('cached');
  expect(plan.A).toBe('run: numerics n1 → n2');
  expect(plan.barrier).toMatch(/^run-unless-cut-off/);
});

test('without a backend, what was run before says what it depends on', async () => {
  const store = await temporaryStore();
  const graph = connectivityGraph();
  const without = async () => {
    const {instances} = await makePlan(graph, {store, numerics: undefined});
    return Object.fromEntries(
      instances.map(({instance, verdict, reason}) => [instance.id, `${verdict} ${reason.why}`]),
    );
  };
  expect((await without()).A).toBe('run never-run');
  await runGraph(graph, store);
  expect(await without()).toMatchObject({
    load: 'cached cached',
    A: 'run backend-unknown',
    barrier: 'run-unless-cut-off upstream',
  });
});

test('a payload that is gone is made again only when something that runs needs it, and so on upward', async () => {
  const store = await temporaryStore();
  const {plan} = await runGraph(connectivityGraph(), store).then(async () => ({
    plan: await makePlan(connectivityGraph(), {store, numerics: 'n1'}),
  }));
  for (const {instance, record} of plan.instances)
    if (['load', 'A'].includes(instance.id)) {
      const digest = record?.outputs.weights?.digest;
      if (digest) await rm(store.blobPath(digest));
    }
  expect(await verdicts(connectivityGraph(), store)).toEqual(allCached(connectivityGraph()));
  expect(await verdicts(connectivityGraph({alphas: [0, 0.25, 1]}), store)).toMatchObject({
    load: 'run: its weights file is needed and no longer in the cache',
    A: 'run: its weights file is needed and no longer in the cache',
    B: 'run-unless-cut-off: load is computed again',
    'interpolate[alpha=0]': 'run-unless-cut-off: A, B are computed again',
  });
  const {ran} = await runGraph(connectivityGraph({alphas: [0, 0.25, 1]}), store);
  expect(ran).toEqual(['load', 'A', 'interpolate[alpha=0.25]', 'barrier']);
});

test('outside data that cannot be had makes its instance unresolved and what follows too', async () => {
  const store = await temporaryStore();
  let asked = 0;
  const data: SourceResolver = async (value, {digestOfFile}) => {
    asked++;
    if (value === 'missing') await digestOfFile('/nowhere/at/all');
    return {state: 'resolved', identity: `content of ${value}`, located: `/data/${value}`};
  };
  const train = declaredStage('train', {
    sources: {data},
    inputs: {weights: {kind: 'weights', doc: '', optional: true}},
  });
  const graph = graphOf([
    {id: 'a', stage: train, params: {data: 'missing'}},
    {id: 'b', stage: train, params: {data: 'mnist', lr: 1}, inputs: {weights: 'a.weights'}},
    {id: 'c', stage: train, params: {data: 'mnist', lr: 2}},
  ]);
  const {instances} = await makePlan(graph, {store, numerics: 'n1'});
  expect(instances.map(({verdict}) => verdict)).toEqual(['unresolved', 'unresolved', 'run']);
  expect(instances[0]?.reason).toMatchObject({
    why: 'unresolved',
    parameter: 'data',
    detail: '/nowhere/at/all does not exist.',
  });
  expect(instances[1]?.reason).toEqual({why: 'upstream-unresolved', upstream: ['a']});
  expect(instances[2]).toMatchObject({
    identity: {data: 'content of mnist', lr: 2},
    located: {data: '/data/mnist', lr: 2},
  });
  expect(asked).toBe(2);
});

test('a result that was removed since it ran is said to be removed', async () => {
  const store = await temporaryStore();
  await runGraph(connectivityGraph(), store);
  const {instances} = await makePlan(connectivityGraph(), {store, numerics: 'n1'});
  const key = instances.find(({instance}) => instance.id === 'B')?.key;
  if (!key) throw new Error('no key');
  await store.forget(key, 'a test');
  expect((await verdicts(connectivityGraph(), store)).B).toBe('run: its result is no longer in the cache');
});
