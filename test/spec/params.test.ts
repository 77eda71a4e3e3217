// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {resolve} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {defineStage} from '../../src/stage/define-stage.ts';
import {codesOf, graphOf, idsOf, paramsOf} from '../rig/read-text.ts';

const TEXT = `params:
  alphas: {linspace: [0, 1, 3]}
  data: {name: mnist, limit: {train: 100}}
stages:
  n: {uses: number, with: {value: "\${data.limit.train}"}}
  s: {uses: scale, in: {a: n.summary}, sweep: {alpha: "\${alphas}"}}
`;

test('--set reaches into a param by a dotted path, its value being YAML', () => {
  const graph = graphOf(TEXT, {set: ['alphas.linspace=[0, 1, 5]', 'data.limit.train=7']});
  expect(idsOf(graph)).toEqual(['n', ...[0, 0.25, 0.5, 0.75, 1].map((alpha) => `s[alpha=${alpha}]`)]);
  expect(graph.params).toEqual({alphas: {linspace: [0, 1, 5]}, data: {name: 'mnist', limit: {train: 7}}});
});

test('--set may replace a param by another kind of value, and the last one counts', () => {
  expect(idsOf(graphOf(TEXT, {set: ['alphas=[0.5]', 'alphas=[0.1]']}))).toEqual(['n', 's[alpha=0.1]']);
});

test('params files replace whole params, before --set', () => {
  const paramsFiles = [
    {path: 'a.yaml', text: 'alphas: [0.1, 0.2]\n'},
    {path: 'b.json', text: '{"data": {"name": "cifar10", "limit": {"train": 5}}}'},
  ];
  expect(graphOf(TEXT, {paramsFiles, set: ['data.limit.train=6']}).params).toEqual({
    alphas: [0.1, 0.2],
    data: {name: 'cifar10', limit: {train: 6}},
  });
});

test.each([
  'nonsense',
  '=1',
  'alphas.linspace.x=1',
  'alphas.linspace.0=1',
  'gone=1',
  'data.limit.test=1',
  'data=[1',
  'data={a: 1, a: 2}',
])('--set %s is refused', (set) => {
  expect(codesOf(TEXT, {set: [set]})).toHaveLength(1);
});

test('text around expressions stays text, and a lone expression gives its value', () => {
  const graph = graphOf(`params: {one: 1, word: w, both: [1, 2]}
stages:
  n:
    uses: number
    with: {value: "\${text == 1 ? 1 : 2}"}
    sweep: {text: ["\${one}", "a\${one}", "\${word}-\${both}", "$\${one}", "\${one + 1}", "\${both}"]}
`);
  expect(graph.nodes[0]?.axes[0]?.values).toEqual([1, 'a1', 'w-[1,2]', '${one}', 2, [1, 2]]);
});

test('params may use params, in any order', () => {
  const graph = graphOf(`params: {b: "\${a + 1}", a: 2, w: {value: "\${b * 2}"}, c: {d: "\${b}"}}
stages:
  n: {uses: number, with: "\${w}"}
`);
  expect(graph.params).toEqual({a: 2, b: 3, c: {d: 3}, w: {value: 6}});
  expect(paramsOf(graph)).toEqual({n: {value: 6}});
});

test('what is escaped in a param stays text wherever a param gives a whole: parameters, sweeps, axes, groups, rows', () => {
  const say = defineStage({
    name: 'say',
    doc: 'Has text.',
    params: z.strictObject({text: z.string()}),
    inputs: {},
    outputs: {},
    computes: 'plain',
    run: async () => ({}),
  });
  const graph = graphOf(
    `params:
  q: five
  whole: {text: "$\${q} $\${zz.y}"}
  grid: {text: ["$\${q}"]}
  rows: [{k: 2, run: [echo, "$\${in.x}"]}]
stages:
  whole: {uses: say, with: "\${whole}"}
  short: {uses: say, sweep: "\${grid}"}
  axes: {uses: say, sweep: {axes: "\${grid}"}}
  zip: {uses: say, sweep: {zip: ["\${grid}"]}}
  rows: {run: [echo, "\${in.x}", "\${k}"], in: {x: make.o}, out: {o: file}, sweep: {axes: {k: [1, 2]}, include: "\${rows}"}}
  make: {run: [echo], out: {o: file}}
`,
    {},
    new Map([['say', say]]),
  );
  expect(paramsOf(graph)).toEqual({
    whole: {text: '${q} ${zz.y}'},
    'short[text="${q}"]': {text: '${q}'},
    'axes[text="${q}"]': {text: '${q}'},
    'zip[text="${q}"]': {text: '${q}'},
    make: expect.anything(),
    'rows[k=1]': expect.objectContaining({run: ['echo', '${in.x}', '1']}),
    'rows[k=2]': expect.objectContaining({run: ['echo', '$\u{e001}{in.x}']}), // marked as no reference
  });
});

test('the name is that of the file when the pipeline has none', () => {
  expect(graphOf(TEXT)).toMatchObject({name: 'test', folder: resolve('pipelines')});
  expect(graphOf(`name: other\n${TEXT}`).name).toBe('other');
});

test('an expectation may read a param', () => {
  const graph = graphOf(`params: {most: 5, word: '"test"'}
stages:
  n: {uses: number, with: {value: 1}}
  s: {uses: scale, in: {a: n.summary}, sweep: {alpha: [0]}}
expect:
  - {of: s.points, where: "split == \${word}", that: "loss < \${most * 2} && alpha == 0"}
`);
  expect(graph.expectations).toMatchObject([
    {node: 's', artifact: 'points', where: 'split == "test"', that: 'loss < 10 && alpha == 0'},
  ]);
});
