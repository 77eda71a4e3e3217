// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {expect, test} from 'vitest';
import type {Graph} from '../../src/graph/graph.ts';
import {codesOf, faultsOf, graphOf} from '../rig/read-text.ts';

/** What each instance takes for its input `a`, by id. */
function taken(graph: Graph): Readonly<Record<string, string>> {
  return Object.fromEntries(
    graph.instances.map(({id, inputs}) => [
      id,
      inputs.a && !inputs.a.many ? String(graph.instances[inputs.a.from]?.id) : 'nothing',
    ]),
  );
}

const node = (sweep: string, input = '{from: n.summary, previous: level}', by = '${level}'): string =>
  `stages:\n  n: {uses: more, in: {a: ${input}}, with: {by: "${by}"}, sweep: ${sweep}}\n`;

test('each point takes from the next smaller one, whatever the order of the file, and the first from none', () => {
  const graph = graphOf(node('{level: [10, 1, 2]}'));
  expect(taken(graph)).toEqual({'n[level=1]': 'nothing', 'n[level=2]': 'n[level=1]', 'n[level=10]': 'n[level=2]'});
  for (const {inputs, index} of graph.instances)
    for (const binding of Object.values(inputs)) expect(binding.many || binding.from).toBeLessThan(index);
});

test('the other axes stay as they are, and a hole is stepped over', () => {
  const sweep = '{axes: {level: [1, 2, 3], seed: [7, 8]}, exclude: [{level: 2, seed: 8}]}';
  expect(taken(graphOf(node(sweep, undefined, '${level + seed}')))).toEqual({
    'n[level=1,seed=7]': 'nothing',
    'n[level=1,seed=8]': 'nothing',
    'n[level=2,seed=7]': 'n[level=1,seed=7]',
    'n[level=3,seed=7]': 'n[level=2,seed=7]',
    'n[level=3,seed=8]': 'n[level=1,seed=8]',
  });
});

test('axes that are zipped with it go along', () => {
  expect(taken(graphOf(node('{zip: {level: [1, 2], by: [5, 6]}}').replace(', with: {by: "${level}"}', '')))).toEqual({
    'n[level=1,by=5]': 'nothing',
    'n[level=2,by=6]': 'n[level=1,by=5]',
  });
});

test('the axis needs no other use, may come with an input, and gives parameters by powers', () => {
  const alone = graphOf(node('{level: [1, 2]}', undefined, '${pow(2, 3)}'));
  expect(alone.instances.map(({params}) => params.by)).toEqual([8, 8]);
  expect(graphOf(node('{level: [2]}', undefined, '${pow(0.8, level)}')).instances[0]?.params.by).toBe(0.64);
});

test.each([
  ['an axis that it does not have', node('{levle: [1]}', undefined, '${levle}'), 'not-swept'],
  ['an axis without order', node('{level: [1, two]}', undefined, '1').replace('"1"', '1'), 'not-ordered'],
  ['a tie', node('{zip: {level: [1, 1], by: [5, 6]}}').replace(', with: {by: "${level}"}', ''), 'not-ordered'],
  ['"as" beside it', node('{level: [1]}', '{from: n.summary, previous: level, as: {level: x}}'), 'bad-previous'],
  [
    '"over" beside it',
    node('{level: [1]}', '{from: n.summary, previous: level, over: [level]}'),
    'gather-without-axis',
  ],
  ['what is no name', node('{level: [1]}', '{from: n.summary, previous: [level]}'), 'wrong-type'],
])('%s is refused', (_, text, code) => {
  expect(codesOf(text)).toEqual([code]);
});

test('faults say what to do', () => {
  const text = `stages:
  n: {uses: number, with: {value: 1}}
  m: {uses: more, in: {a: m.summary}, with: {by: 1}}
  k: {uses: mod, in: {a: {from: k.summary, previous: level}}, with: {by: 2}, sweep: {level: [1, 2]}}
  l: {uses: more, in: {a: {from: n.summary, previous: level}}, with: {by: "\${level}"}, sweep: {level: [1, 2]}}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:3:27 cycle
"m" takes an artifact of its own: m → m.
    m: {uses: more, in: {a: m.summary}, with: {by: 1}}
                            ^^^^^^^^^
Take it from an earlier point of an axis: {from: m.summary, previous: AXIS}.

p.yaml:4:54 bad-previous
The input "a" of "mod" is not optional, and the first point has no earlier one.
    k: {uses: mod, in: {a: {from: k.summary, previous: level}}, with: {by: 2}, sweep: {level: [1, 2]}}
                                                       ^^^^^
Leave "previous" out, and take it from another node.

p.yaml:5:34 bad-previous
"previous" takes from the node itself, but "n" is another.
    l: {uses: more, in: {a: {from: n.summary, previous: level}}, with: {by: "\${level}"}, sweep: {level: [1, 2]}}
                                   ^^^^^^^^^
Write from: l.ARTIFACT, or leave "previous" out.`,
  );
});
