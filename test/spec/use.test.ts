// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {expect, test} from 'vitest';
import {type Files, idsAndParams, read} from '../rig/read-files.ts';

const BASE = `params: {value: 4, by: 3}
stages:
  start: {uses: number, with: {value: "\${value}"}}
  rest: {uses: mod, in: {a: start.summary}, with: {by: "\${by * k}"}, sweep: {k: [1, 2]}}
  unused: {uses: fail}
expect:
  - {of: start.summary, that: "value < 0.0"}
`;
const main = (use: string, more = ''): string => `use: ${use}
params: {value: 100}
stages:
  sum: {uses: add, in: {a: base.rest.summary, b: base.start.summary}}
${more}`;

test('nodes of another file come under its name, with its params, as far as they are needed', async () => {
  const graph = await read({'main.yaml': main('./base.yaml'), 'base.yaml': BASE});
  expect(idsAndParams(graph)).toEqual({
    'base.start': {value: 4},
    'base.rest[k=1]': {by: 3},
    'base.rest[k=2]': {by: 6},
    'sum[k=1]': {},
    'sum[k=2]': {},
  });
  expect(typeof graph !== 'string' && graph.expectations).toEqual([]);
});

test('params of a file that is used are given where it is used, and win over its own; --set wins over both', async () => {
  const files = {'main.yaml': main('{base: {file: ./base.yaml, params: {value: "${value + 1}"}}}'), 'base.yaml': BASE};
  expect(idsAndParams(await read(files))).toMatchObject({'base.start': {value: 101}, 'base.rest[k=2]': {by: 6}});
  const set = ['base.by=5', 'base.value=7', 'value=50'];
  expect(idsAndParams(await read(files, set))).toMatchObject({'base.start': {value: 7}, 'base.rest[k=2]': {by: 10}});
});

const READS = `params: {q: five, t: d, m: {l: [d], T: d}}
stages:
  n: {run: [echo, "\${t}", "\${m.l[0]}"], env: {T: "\${m.T}"}, out: {o: file}}
`;

test('text that is escaped where a file is used is plain in it, through several files, in lists and maps; by --set it is read there, once', async () => {
  const files = {
    'main.yaml': `use: {b: {file: lib/b.yaml, params: {t: "$\${q}", m: {l: ["\${raw}"], T: "a$\${k}"}, inner: {t: "$\${r}"}}}}
params: {raw: "cost $\${q} and $\${zz.y}"}
stages:
  s: {run: [cat, "\${in.a}", "\${in.b}"], in: {a: b.n.o, b: b.inner.n.o}, out: {o: file}}
`,
    'lib/b.yaml': `use: {inner: {file: ./inner.yaml, params: {m: {l: ["\${t}"], T: "$\${t}"}}}}\n${READS}`,
    'lib/inner.yaml': READS,
  };
  expect(idsAndParams(await read(files))).toMatchObject({
    'b.n': {run: ['echo', '${q}', 'cost ${q} and ${zz.y}'], env: {T: 'a${k}'}},
    'b.inner.n': {run: ['echo', '${r}', '${q}'], env: {T: '${t}'}},
  });
  const set = ['b.t=$${q}!', 'b.m.T=${q}', 'b={inner: {t: "${q} $${q}"}}'];
  expect(idsAndParams(await read(files, set))).toMatchObject({
    'b.n': {run: ['echo', '${q}!', 'cost ${q} and ${zz.y}'], env: {T: 'five'}},
    'b.inner.n': {run: ['echo', 'five ${q}', '${q}!'], env: {T: '${t}'}},
  });
});

test('files use files, each path from the folder of the file that has it, and sources too', async () => {
  const files = {
    'main.yaml': `use: [lib/base.yml, ./lib/deep/inner.yaml]
stages:
  sum: {uses: add, in: {a: base.own.summary, b: inner.one.summary}}
`,
    'lib/base.yml': 'use: ./deep/inner.yaml\nstages:\n  own: {uses: mod, in: {a: inner.one.summary}, with: {by: 2}}\n',
    'lib/deep/inner.yaml': 'stages:\n  one: {uses: number, with: {value: 1}}\n',
  };
  const graph = await read(files);
  if (typeof graph === 'string') throw new Error(graph);
  expect(graph.instances.map(({id}) => id).sort()).toEqual(['base.inner.one', 'base.own', 'inner.one', 'sum']);
  const folders = graph.instances.map(({id, folder}) => [id, folder.slice(graph.folder.length)]);
  expect(Object.fromEntries(folders)).toEqual({
    'base.inner.one': '/lib/deep',
    'base.own': '/lib',
    'inner.one': '/lib/deep',
    sum: '',
  });
});

test('faults of a file that is used stand in it, those of what is said to it here', async () => {
  const files = {
    'main.yaml': main(
      '{base: {file: ./base.yaml, params: {valeu: 1}}}',
      '  m: {uses: mod, in: {a: base.strat.summary}, with: {by: 2}}\n',
    ),
    'base.yaml': BASE.replace('by: 3', 'by: -3').replace('uses: number', 'uses: numbr'),
  };
  expect(await read(files)).toBe(`base.yaml:3:17 unknown-stage
There is no stage "numbr".
    start: {uses: numbr, with: {value: "\${value}"}}
                  ^^^^^
Did you mean "number"?

base.yaml:4:56 bad-parameter
"by" of "mod" must be a whole number of at least 1, but is -3.
    rest: {uses: mod, in: {a: start.summary}, with: {by: "\${by * k}"}, sweep: {k: [1, 2]}}
                                                         ^^^^^^^^^^^
by: The divisor.

main.yaml:1:42 unknown-param
There is no param "valeu" to override.
  use: {base: {file: ./base.yaml, params: {valeu: 1}}}
                                           ^^^^^
Did you mean "value"?

main.yaml:5:26 unknown-node
There is no node "base.strat".
    m: {uses: mod, in: {a: base.strat.summary}, with: {by: 2}}
                           ^^^^^^^^^^^^^^^^^^
Did you mean "base.start"?`);
});

test('a file that is used twice is wrong once, wherever the fault comes to light; what was said to it stands where it was said', async () => {
  const files = {
    'main.yaml': `use: {base: {file: ./lib/base.yaml, params: {value: four}}, deep: ./lib/middle.yaml}
stages:
  sum: {uses: add, in: {a: base.rest.summary, b: deep.again.summary}}
`,
    'lib/middle.yaml': 'use: ./base.yaml\nstages:\n  again: {uses: mod, in: {a: base.rest.summary}, with: {by: -1}}\n',
    'lib/base.yaml': BASE.replace('k: [1, 2]', 'k: [1, "2"]'),
  };
  expect(await read(files)).toBe(`lib/base.yaml:4:59 bad-expression
There is no "number * string": the types do not go together.
    rest: {uses: mod, in: {a: start.summary}, with: {by: "\${by * k}"}, sweep: {k: [1, "2"]}}
                                                            ^^^^^^
Turn one into the other with string(…) or double(…).

lib/middle.yaml:3:61 bad-parameter
"by" of "mod" must be a whole number of at least 1, but is -1.
    again: {uses: mod, in: {a: base.rest.summary}, with: {by: -1}}
                                                              ^^
by: The divisor.

main.yaml:1:53 bad-parameter
"value" of "number" must be a number, but is "four".
  use: {base: {file: ./lib/base.yaml, params: {value: four}}, deep: ./lib/middle.yaml}
                                                      ^^^^
value: The number to give.`);
});

test('of a file without nodes only that is told, and of no node that is missing for it', async () => {
  const told = await read({'main.yaml': main('./base.yaml'), 'base.yaml': 'stages: 3\n'});
  expect(told).toBe(`base.yaml:1:9 wrong-type
"stages" must be a map, not the number 3.
  stages: 3
          ^
Write stages: {NODE: {uses: STAGE}}.`);
});

const NODE = 'stages:\n  n: {uses: number, with: {value: 1}}\n';
test.each<[string, string, string, Files?]>([
  ['a file that is not there', './bsae.yaml', 'main.yaml:1:6 unknown-file', {'base.yaml': NODE}],
  ['a folder', './lib', 'main.yaml:1:6 unknown-file', {'lib/base.yaml': NODE}],
  [
    'a file that uses itself',
    '{a: ./a.yaml}',
    'b.yaml:1:6 use-cycle',
    {'a.yaml': `use: ./b.yaml\n${NODE}`, 'b.yaml': `use: ./a.yaml\n${NODE}`},
  ],
  [
    'a name twice',
    '[./base.yaml, ./lib/base.yaml]',
    'main.yaml:1:20 bad-name',
    {'base.yaml': NODE, 'lib/base.yaml': NODE},
  ],
  ['the name of a node', '{n: ./base.yaml}', 'main.yaml:1:7 bad-name', {'base.yaml': NODE}],
  ['what is no name', '{"a b": ./base.yaml}', 'main.yaml:1:7 bad-name', {'base.yaml': NODE}],
  ['no file', '{base: {params: {}}}', 'main.yaml:1:7 missing-key', {'base.yaml': NODE}],
  ['a number', '3', 'main.yaml:1:6 wrong-type', {}],
  ['broken YAML', './base.yaml', 'base.yaml:1:10 yaml-syntax', {'base.yaml': 'stages: {'}],
])('%s is refused', async (_, use, first, files = {}) => {
  const told = await read({'main.yaml': `use: ${use}\n${NODE}`, ...files});
  expect(String(told).split('\n')[0]).toBe(first);
  expect(String(told).match(/^\S+:\d+:\d+ /gm)).toHaveLength(1);
});

test('files that use one another exponentially often are refused, and soon', async () => {
  const levels = Array.from({length: 12}, (_, level) => [
    `f${level}.yaml`,
    `use: {a: ./f${level + 1}.yaml, b: ./f${level + 1}.yaml}\n${NODE}`,
  ]);
  const files = Object.fromEntries([...levels, ['f12.yaml', NODE]]);
  const told = await read({'main.yaml': `use: ./f0.yaml\n${NODE}`, ...files});
  expect(told).toContain('More than 200 files are used.');
});

test('a misspelt file suggests the nearest', async () => {
  const told = await read({'main.yaml': `use: ./bsae.yaml\n${NODE}`, 'base.yaml': NODE});
  expect(told).toBe(`main.yaml:1:6 unknown-file
bsae.yaml cannot be used: there is no such file.
  use: ./bsae.yaml
       ^^^^^^^^^^^
Did you mean "./base.yaml"?`);
});

const SWEPT = 'stages:\n  n: {uses: number, sweep: {value: [1, 2]}}\n';

test('a value of a file that is used is marked here, where it does not fit', async () => {
  const files = {
    'main.yaml': 'use: ./base.yaml\nstages:\n  m: {uses: mod, in: {a: base.n.summary}, with: {by: "${value}"}}\n',
    'base.yaml': `params: {values: [0.5]}\n${SWEPT.replace('[1, 2]', '"${values}"')}`,
  };
  expect(await read(files)).toBe(`main.yaml:3:54 bad-parameter
"by" of "mod" must be a whole number of at least 1, but is 0.5.
    m: {uses: mod, in: {a: base.n.summary}, with: {by: "\${value}"}}
                                                       ^^^^^^^^^^
by: The divisor.`);
});
