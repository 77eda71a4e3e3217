import {expect, test} from 'vitest';
import {idsAndParams, read} from '../rig/read-files.ts';

const SWEPT = 'stages:\n  n: {uses: number, sweep: {value: [1, 2]}}\n';

test('an axis of a file that is used may be named like a param here, as long as no expression of the node has that name', async () => {
  const files = {
    'main.yaml': `use: ./base.yaml
params: {value: 2, by: 3}
stages:
  m: {uses: mod, in: {a: base.n.summary}, with: {by: "\${by}"}, sweep: {include: [{value: "\${value}", by: 7}]}}
  renamed: {uses: mod, in: {a: {from: base.n.summary, as: {value: v}}}, with: {by: "\${value + v}"}}
  gathered:
    run: [echo, "\${by}"]
    in: {all: {from: base.n.summary, as: {value: by}, over: [by]}}
    out: {}
`,
    'base.yaml': SWEPT,
  };
  expect(idsAndParams(await read(files))).toMatchObject({
    'm[value=1]': {by: 3},
    'm[value=2]': {by: 7},
    'renamed[v=1]': {by: 3},
    'renamed[v=2]': {by: 4},
    gathered: {run: ['echo', '3']},
  });
});

test('a name that is a param and an axis of an input is a fault where it is used, a new name where it is given', async () => {
  const files = {
    'main.yaml': `use: ./base.yaml
params: {value: 2, by: 3}
stages:
  m: {uses: mod, in: {a: base.n.summary}, with: {by: "\${value}"}}
  k: {uses: add, in: {a: base.n.summary, b: base.n.summary}}
  row: {uses: mod, in: {a: k.summary}, with: {by: 5}, sweep: {include: [{value: 1, by: "\${by + value}"}]}}
  program:
    run: [echo, "it is \${value} and \${in.a}"]
    in: {a: base.n.summary, b: k.summary}
    out: {}
  as: {uses: mod, in: {a: {from: base.n.summary, as: {value: by}}}, with: {by: "\${by}"}}
`,
    'base.yaml': SWEPT,
  };
  const remedy = 'Rename the axis with {from: NODE.ARTIFACT, as: {value: NEW_NAME}}, or the param.';
  expect(await read(files)).toBe(`main.yaml:4:57 axis-shadows-param
"value" is a param, and an axis that comes with the input "a", so "\${value}" has two meanings.
    m: {uses: mod, in: {a: base.n.summary}, with: {by: "\${value}"}}
                                                          ^^^^^
${remedy}

main.yaml:6:96 axis-shadows-param
"value" is a param, and an axis that comes with the input "a", so "\${value}" has two meanings.
    row: {uses: mod, in: {a: k.summary}, with: {by: 5}, sweep: {include: [{value: 1, by: "\${by + value}"}]}}
                                                                                                 ^^^^^
${remedy}

main.yaml:8:26 axis-shadows-param
"value" is a param, and an axis that comes with the input "a" and the input "b", so "\${value}" has two meanings.
      run: [echo, "it is \${value} and \${in.a}"]
                           ^^^^^
${remedy}

main.yaml:11:62 axis-shadows-param
The axis "by" has the name of a param, so "\${by}" would have two meanings.
    as: {uses: mod, in: {a: {from: base.n.summary, as: {value: by}}}, with: {by: "\${by}"}}
                                                               ^^
Choose another name.`);
});
