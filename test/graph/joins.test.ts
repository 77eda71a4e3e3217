import {expect, test} from 'vitest';
import type {Graph} from '../../src/graph/graph.ts';
import {faultsOf, graphOf, idsOf, paramsOf} from '../rig/read-text.ts';

/** What an instance's input is bound to, by id. */
function boundTo(graph: Graph, id: string, input: string): readonly string[] {
  const binding = graph.instances.find((instance) => instance.id === id)?.inputs[input];
  if (!binding) return [];
  const members = binding.many ? binding.members : [binding];
  return members.map(({from, artifact}) => `${graph.instances[from]?.id}.${artifact}`);
}

const N = 'stages:\n  n: {uses: number, sweep: {value: [1, 2]}}\n';

test('a node follows the axes of its input', () => {
  const graph = graphOf(`${N}  m: {uses: mod, in: {a: n.summary}, with: {by: 3}}\n`);
  expect(idsOf(graph)).toEqual(['n[value=1]', 'n[value=2]', 'm[value=1]', 'm[value=2]']);
  expect(boundTo(graph, 'm[value=2]', 'a')).toEqual(['n[value=2].summary']);
});

test('inputs with a shared axis join by value, and the others multiply', () => {
  const graph = graphOf(`${N}  k: {uses: number, with: {value: "\${other}"}, sweep: {other: [5, 6]}}
  m: {uses: mod, in: {a: n.summary}, with: {by: 3}}
  shared: {uses: add, in: {a: n.summary, b: m.summary}}
  product: {uses: add, in: {a: n.summary, b: k.summary}}
`);
  const ids = idsOf(graph);
  expect(ids.filter((id) => id.startsWith('shared'))).toEqual(['shared[value=1]', 'shared[value=2]']);
  expect(ids.filter((id) => id.startsWith('product'))).toEqual([
    'product[value=1,other=5]',
    'product[value=1,other=6]',
    'product[value=2,other=5]',
    'product[value=2,other=6]',
  ]);
  expect(boundTo(graph, 'product[value=2,other=5]', 'b')).toEqual(['k[other=5].summary']);
});

test('"as" renames an axis, so that it does not join', () => {
  const graph = graphOf(`${N}  m: {uses: add, in: {a: n.summary, b: {from: n.summary, as: {value: right}}}}\n`);
  expect(idsOf(graph).slice(2)).toEqual([
    'm[value=1,right=1]',
    'm[value=1,right=2]',
    'm[value=2,right=1]',
    'm[value=2,right=2]',
  ]);
  expect(boundTo(graph, 'm[value=1,right=2]', 'b')).toEqual(['n[value=2].summary']);
});

test('values join by type: 1 and "1" are two values, 0.5 and 0.50 are one', () => {
  const text = (left: string, right: string): string => `stages:
  n: {uses: number, with: {value: 1}}
  a: {uses: number, with: {value: "\${k == 1 ? 1 : 2}"}, sweep: {k: [${left}]}}
  b: {uses: number, with: {value: "\${k == 1 ? 1 : 2}"}, sweep: {k: [${right}]}}
  m: {uses: add, in: {a: a.summary, b: b.summary}}
`;
  expect(idsOf(graphOf(text('1, 0.5', '0.50, 7'))).filter((id) => id.startsWith('m'))).toEqual(['m[k=0.5]']);
  expect(faultsOf(text('1', '"1"'))).toBe(
    `p.yaml:5:3 empty-join
"m" has no point at all: "k" is 1 in the input "a", but "1" in the input "b".
    m: {uses: add, in: {a: a.summary, b: b.summary}}
    ^
Give both the same values, or rename one axis with {from: NODE.ARTIFACT, as: {OLD: NEW}} to combine all with all.`,
  );
});

test('an own axis joins one that comes with an input', () => {
  const graph = graphOf(
    `${N}  m: {uses: mod, in: {a: n.summary}, with: {by: "\${value + 1}"}, sweep: {value: [2, 9]}}\n`,
  );
  expect(idsOf(graph).slice(2)).toEqual(['m[value=2]']);
});

test('a gathering input takes all points of its axis in order of size, and the other axes fan out', () => {
  const graph = graphOf(`${N}  s: {uses: scale, in: {a: n.summary}, sweep: {alpha: [1, 0, 0.25]}}
  g: {uses: gather, in: {points: s.points}}
`);
  expect(idsOf(graph).slice(-2)).toEqual(['g[value=1]', 'g[value=2]']);
  expect(boundTo(graph, 'g[value=2]', 'points')).toEqual([
    's[value=2,alpha=0].points',
    's[value=2,alpha=0.25].points',
    's[value=2,alpha=1].points',
  ]);
  expect(graph.instances.at(-1)?.inputs.points).toMatchObject({
    over: ['alpha'],
    members: [{axes: {alpha: 0}}, {axes: {alpha: 0.25}}, {axes: {alpha: 1}}],
  });
});

test('"over" names the axes to gather; the members are sorted by the first by name, then the second, however it is written', () => {
  const text = (grid: string, over: string): string => `stages:
  n: {uses: number, with: {value: "\${v + 10 * w}"}, sweep: ${grid}}
  s: {uses: scale, in: {a: n.summary}, with: {alpha: 1}}
  g: {uses: gather, in: {points: {from: s.points, over: ${over}}}}
`;
  const graphs = ['{v: [1, 2], w: [4, 3]}', '{w: [3, 4], v: [2, 1]}'].flatMap((grid) =>
    ['[v, w]', '[w, v]'].map((over) => graphOf(text(grid, over))),
  );
  for (const graph of graphs) {
    expect(idsOf(graph).at(-1)).toBe('g');
    const binding = graph.instances.at(-1)?.inputs.points;
    expect(binding?.many && JSON.stringify(binding.members.map(({axes}) => axes))).toBe(
      '[{"v":1,"w":3},{"v":1,"w":4},{"v":2,"w":3},{"v":2,"w":4}]',
    );
  }
});

test('an axis renamed to the one a stage gathers over is gathered', () => {
  const graph = graphOf(`${N}  s: {uses: scale, in: {a: n.summary}, with: {alpha: "\${t / 2}"}, sweep: {t: [0, 1]}}
  g: {uses: gather, in: {points: {from: s.points, as: {t: alpha}}}}
`);
  expect(boundTo(graph, 'g[value=1]', 'points')).toEqual(['s[value=1,t=0].points', 's[value=1,t=1].points']);
});

test('what cannot be gathered says which axes there are', () => {
  const text = `${N}  s: {uses: scale, in: {a: n.summary}, with: {alpha: 1}}
  g: {uses: gather, in: {points: s.points}}
  h: {uses: gather, in: {points: {from: s.points, over: [vlaue]}}}
  i: {uses: mod, in: {a: {from: n.summary, over: [value], as: {valeu: x}}}, with: {by: 2}}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:4:34 gather-without-axis
The input "points" gathers over the axis "alpha", which "s" does not have.
    g: {uses: gather, in: {points: s.points}}
                                   ^^^^^^^^
Say which axis with {from: s.points, over: [value]}, or rename one with "as".

p.yaml:5:58 not-swept
"s" is not swept over "vlaue".
    h: {uses: gather, in: {points: {from: s.points, over: [vlaue]}}}
                                                           ^^^^^
Did you mean "value"?

p.yaml:6:51 gather-without-axis
The input "a" of "mod" takes one artifact and gathers over nothing.
    i: {uses: mod, in: {a: {from: n.summary, over: [value], as: {valeu: x}}}, with: {by: 2}}
                                                    ^^^^^
Remove "over"; the node follows the axes of this input instead.

p.yaml:6:64 not-swept
"n" is not swept over "valeu".
    i: {uses: mod, in: {a: {from: n.summary, over: [value], as: {valeu: x}}}, with: {by: 2}}
                                                                 ^^^^^
Did you mean "value"?`,
  );
});

test('an axis with the name of a column cannot be gathered into the table', () => {
  const text = `stages:
  n: {uses: number, with: {value: 1}}
  s: {uses: scale, in: {a: n.summary}, with: {alpha: "\${loss}"}, sweep: {loss: [0, 1]}}
  g: {uses: gather, in: {points: {from: s.points, over: [loss]}}}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:4:41 axis-is-column
"s.points" has a column "loss" already, so the axis of this name cannot become one.
    g: {uses: gather, in: {points: {from: s.points, over: [loss]}}}
                                          ^^^^^^^^
Rename the axis with as: {loss: NEW_NAME}.`,
  );
});

test('ids quote text that could be taken for another value, and nothing else', () => {
  const graph = graphOf(`stages:
  n:
    uses: number
    with: {value: "\${size(string(k))}"}
    sweep: {k: [plain-1.x, "1", "true", "a b", 1, true, "", "ü", "x,y]", .5e3]}
`);
  expect(idsOf(graph)).toEqual([
    'n[k=plain-1.x]',
    'n[k="1"]',
    'n[k="true"]',
    'n[k="a b"]',
    'n[k=1]',
    'n[k=true]',
    'n[k=""]',
    'n[k="ü"]',
    'n[k="x,y]"]',
    'n[k=500]',
  ]);
});

test('an axis value may be a list or a map, and keeps its type', () => {
  const graph = graphOf(`stages:
  n: {uses: number, with: {value: "\${p.v[0]}"}, sweep: {p: [{v: [3]}, {v: [4]}]}}
`);
  expect(paramsOf(graph)).toEqual({'n[p={"v":[3]}]': {value: 3}, 'n[p={"v":[4]}]': {value: 4}});
});

test('instances are ordered upstream first, and consumers are listed once', () => {
  const graph = graphOf(`stages:
  g: {uses: gather, in: {points: s.points}}
  s: {uses: scale, in: {a: n.summary}, sweep: {alpha: [0, 1]}}
  twice: {uses: add, in: {a: n.summary, b: n.summary}}
  n: {uses: number, with: {value: 1}}
`);
  const ids = idsOf(graph);
  for (const {index, inputs} of graph.instances) {
    for (const binding of Object.values(inputs)) {
      for (const {from} of binding.many ? binding.members : [binding]) expect(from).toBeLessThan(index);
    }
  }
  const consumers = graph.consumers[ids.indexOf('n')]?.map((index) => ids[index]);
  expect(consumers?.toSorted()).toEqual(['s[alpha=0]', 's[alpha=1]', 'twice']);
  expect(graph.nodes.map(({name}) => name)).toEqual(['g', 's', 'twice', 'n']);
});
