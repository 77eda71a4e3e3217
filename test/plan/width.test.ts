import {expect, test} from 'vitest';
import type {Graph} from '../../src/graph/graph.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import {widthOf} from '../../src/plan/width.ts';
import {runGraph} from '../rig/cached-graph.ts';
import {graphOf} from '../rig/read-text.ts';
import {temporaryStore} from '../rig/temporary-store.ts';

const node = (name: string, above: string | undefined, rest = ''): string =>
  `  ${name}: {run: [echo, ${name}], out: {text: {kind: file}}${above === undefined ? '' : `, in: {above: ${above}.text}`}${rest}}`;
const pipeline = (...nodes: readonly string[]): Graph => graphOf(['stages:', ...nodes].join('\n'));

async function width(graph: Graph, {cached = false, wanted = graph.instances.map(({index}) => index)} = {}) {
  const store = await temporaryStore();
  if (cached) await runGraph(graph, store, 'n1');
  return widthOf(graph, await makePlan(graph, {store, numerics: 'n1'}), new Set(wanted));
}

test('a chain has room for one, two branches for two, a sweep for its points', async () => {
  const chain = pipeline(node('a', undefined), node('b', 'a'), node('c', 'b'));
  expect(await width(chain)).toBe(1);
  expect(await width(pipeline(node('a', undefined), node('b', 'a'), node('c', 'a')))).toBe(2);
  const sweep = pipeline(
    node('a', undefined),
    node('b', 'a', ', sweep: {n: [1, 2, 3]}').replace('echo, b', 'echo, "$'.concat('{n}"')),
  );
  expect(await width(sweep)).toBe(3);
  expect(await width(sweep, {wanted: [0, 1]})).toBe(1);
  expect(await width(sweep, {cached: true})).toBe(1);
});
