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

/** `n` follows the sweep of another node, and takes from its earlier point. */
const following = (sweep: string, by = '1', level = 'level', more = ''): string => `stages:
  up: {uses: number, with: {value: "\${level + keep}"}, sweep: ${sweep}}
  n:
    uses: more
    in: {a: {from: n.summary, previous: ${level}}, b: {from: up.summary${level === 'level' ? '' : `, as: {level: ${level}}`}}}
    with: {by: ${by}}
    sweep: {${more}}
`;
/** What each point of `n` takes, by its own and the other's id. */
const chain = (text: string): readonly string[] =>
  Object.entries(taken(graphOf(text))).flatMap(([id, from]) => (id.startsWith('n') ? [`${id} < ${from}`] : []));

test('so do axes that are zipped with it further up, under other names too, and of points that are listed', () => {
  const chained = ['n[level=1,keep=0.5] < nothing', 'n[level=2,keep=0.2] < n[level=1,keep=0.5]'];
  expect(chain(following('{zip: {level: [2, 1], keep: [0.2, 0.5]}}'))).toEqual(chained);
  expect(chain(following('{include: [{level: 2, keep: 0.2}, {level: 1, keep: 0.5}]}'))).toEqual(chained);
  expect(chain(following('{zip: {level: [1, 2], keep: [0.5, 0.2]}}', '1', 'step'))).toEqual(
    chained.map((line) => line.replaceAll('level', 'step')),
  );
  expect(chain(following('{zip: {level: [1, 2], keep: [5, 2]}}', '"${start}"', 'level', 'start: [7, 8]'))).toEqual([
    'n[level=1,keep=5,start=7] < nothing',
    'n[level=1,keep=5,start=8] < nothing',
    'n[level=2,keep=2,start=7] < n[level=1,keep=5,start=7]',
    'n[level=2,keep=2,start=8] < n[level=1,keep=5,start=8]',
  ]);
});

test('of points that are listed, an axis that has several values at one of its stays as it is', () => {
  const rows = [1, 2].flatMap((level) => [7, 8].map((keep) => `{level: ${level}, keep: ${keep}}`));
  expect(chain(following(`{include: [${rows.join(', ')}]}`))).toEqual([
    'n[level=1,keep=7] < nothing',
    'n[level=1,keep=8] < nothing',
    'n[level=2,keep=7] < n[level=1,keep=7]',
    'n[level=2,keep=8] < n[level=1,keep=8]',
  ]);
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
  ['a tie further up', following('{zip: {level: [1, 1], keep: [5, 6]}}'), 'not-ordered'],
  [
    'a grid of which no two points are in a row',
    following('{axes: {level: [1, 2], keep: [5, 6]}, exclude: [{level: 1, keep: 5}, {level: 2, keep: 6}]}'),
    'not-ordered',
  ],
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
