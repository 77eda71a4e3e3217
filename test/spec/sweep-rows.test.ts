// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {expect, test} from 'vitest';
import {codesOf, faultsOf, graphOf, paramsOf} from '../rig/read-text.ts';

const node = (sweep: string, value = '${10 * a + b}'): string =>
  `stages:\n  n: {uses: number, with: {value: "${value}"}, sweep: ${sweep}}\n`;
const valuesOf = (text: string): readonly unknown[] => graphOf(text).instances.map(({params}) => params.value);

test('axes under "axes" multiply, and those of a zip go together', () => {
  expect(valuesOf(node('{axes: {a: [1, 2], b: [3, 4]}}'))).toEqual([13, 14, 23, 24]);
  expect(valuesOf(node('{zip: {a: [1, 2], b: [3, 4]}}'))).toEqual([13, 24]);
  expect(valuesOf(node('{axes: {c: [0, 5]}, zip: {a: [1, 2], b: [3, 3]}}', '${10 * a + b + c}'))).toEqual([
    13, 23, 18, 28,
  ]);
  expect(valuesOf(node('{zip: [{a: [1, 2]}, {b: [3, 4]}]}'))).toEqual([13, 14, 23, 24]);
});

test('"exclude" leaves out the points that agree with a row', () => {
  expect(valuesOf(node('{axes: {a: [1, 2], b: [3, 4]}, exclude: [{a: 1, b: 4}]}'))).toEqual([13, 23, 24]);
  expect(valuesOf(node('{axes: {a: [1, 2], b: [3, 4]}, exclude: [{b: 3.0}]}'))).toEqual([14, 24]);
  expect(valuesOf(node('{axes: {a: [1, 2], b: [3, 4]}, exclude: [{a: "1"}]}'))).toHaveLength(4);
});

test('an "include" row sets parameters of the points it equals, and else is a point of its own', () => {
  const graph = graphOf(`stages:
  n:
    uses: sleepless-train
    with: {steps: 5}
    sweep:
      axes: {seed: [1, 2]}
      include:
        - {seed: 2, steps: 9}
        - {seed: 3}
        - {seed: 4, steps: "\${10 * seed}"}
`);
  expect(paramsOf(graph)).toEqual({
    'n[seed=1]': {seed: 1, steps: 5},
    'n[seed=2]': {seed: 2, steps: 9},
    'n[seed=3]': {seed: 3, steps: 5},
    'n[seed=4]': {seed: 4, steps: 40},
  });
});

test('later rows meet the points that earlier ones made, by all or by some of their axes', () => {
  const rows =
    '[{k: 1, seed: 9}, {seed: 9, steps: 6}, {k: 2, seed: 9, steps: 7}, {k: 1, steps: 2}, {k: 1, seed: 9, steps: 8}]';
  const graph = graphOf(`stages:
  n:
    uses: sleepless-train
    with: {steps: "\${5 * k}"}
    sweep: {axes: {k: [1], seed: [1, 2]}, exclude: [{k: 1, seed: 2}, {seed: 4}], include: ${rows}}
`);
  expect(paramsOf(graph)).toEqual({
    'n[k=1,seed=1]': {seed: 1, steps: 2},
    'n[k=1,seed=9]': {seed: 9, steps: 8},
    'n[k=2,seed=9]': {seed: 9, steps: 7},
  });
});

test('an excluded point that is included again is there once, with what the row sets', () => {
  const sweep = '{axes: {seed: [1, 2]}, exclude: [{seed: 2}], include: [{seed: 2, steps: 9}]}';
  const graph = graphOf(`stages:\n  n: {uses: sleepless-train, with: {steps: 5}, sweep: ${sweep}}\n`);
  expect(paramsOf(graph)).toEqual({'n[seed=1]': {seed: 1, steps: 5}, 'n[seed=2]': {seed: 2, steps: 9}});
});

test('rows alone are the points; the names that all of them have are the axes', () => {
  const sweep = '{include: [{seed: 1}, {seed: 2, steps: 9}]}';
  const graph = graphOf(`stages:\n  n: {uses: sleepless-train, with: {steps: 5}, sweep: ${sweep}}\n`);
  expect(paramsOf(graph)).toEqual({'n[seed=1]': {seed: 1, steps: 5}, 'n[seed=2]': {seed: 2, steps: 9}});
});

test('of rows alone, each point is there once, and later rows set parameters of it', () => {
  const sweep = '{include: [{seed: 1}, {seed: 2, steps: 7}, {seed: 1.0, steps: 9}]}';
  const graph = graphOf(`stages:\n  n: {uses: sleepless-train, with: {steps: 5}, sweep: ${sweep}}\n`);
  expect(graph.instances.map(({id, params}) => [id, params])).toEqual([
    ['n[seed=1]', {seed: 1, steps: 9}],
    ['n[seed=2]', {seed: 2, steps: 7}],
  ]);
});

test('rows see the axes that come with the inputs', () => {
  const text = (sweep: string): string => `stages:
  n: {uses: number, sweep: {value: [1, 2]}}
  m: {uses: mod, in: {a: n.summary}, with: {by: 3}, sweep: ${sweep}}
`;
  expect(paramsOf(graphOf(text('{include: [{value: 2, by: 7}]}')))).toMatchObject({
    'm[value=1]': {by: 3},
    'm[value=2]': {by: 7},
  });
  const own = text('{axes: {k: [4, 5]}, exclude: [{value: 1, k: 5}], include: [{value: 2, k: 6}]}').replace(
    'by: 3',
    'by: "${k}"',
  );
  expect(Object.keys(paramsOf(graphOf(own))).filter((id) => id.startsWith('m'))).toEqual([
    'm[value=1,k=4]',
    'm[value=2,k=4]',
    'm[value=2,k=5]',
    'm[value=2,k=6]',
  ]);
});

test('rows alone are the points also where they say at which of the inputs, and set parameters there', () => {
  const at = (rows: string): readonly unknown[] =>
    graphOf(`stages:
  n: {uses: number, sweep: {value: [1, 2]}}
  m: {uses: at-most, in: {a: n.summary}, with: {limit: "\${k}"}, sweep: {include: ${rows}}}
`).instances.flatMap(({id, params}) => (id.startsWith('m') ? [[id, params.limit]] : []));
  expect(at('[{k: 5, value: 1}, {k: 6, value: 2}]')).toEqual([
    ['m[value=1,k=5]', 5],
    ['m[value=2,k=6]', 6],
  ]);
  expect(at('[{k: 5, value: 1}, {k: 6}, {k: 6, value: 2, limit: 9}]')).toEqual([
    ['m[value=1,k=5]', 5],
    ['m[value=1,k=6]', 6],
    ['m[value=2,k=6]', 9],
  ]);
  expect(at('[{k: 5, value: 1, limit: 8}, {k: 6, value: 1, limit: 9}]')).toEqual([
    ['m[value=1,k=5]', 8],
    ['m[value=1,k=6]', 9],
  ]);
  expect(() => at('[{k: 5, value: 1}, {k: 6, value: 7}]')).toThrow('"m" has no point {k: 6, value: 7}.');
  expect(() => at('[{k: 5, value: 1}, {k: 6, value: 2}, {value: 1, k: 5}]')).toThrow('twice');
});

test('an axis may hold values of every kind, each with its type', () => {
  const graph = graphOf(
    node('{axes: {a: [null, true, "true", 1, "1", [1, 2], {b: 1}]}}', '${type(a) == type(1.0) ? 1 : 0}'),
  );
  expect(graph.nodes[0]?.axes[0]?.values).toEqual([null, true, 'true', 1, '1', [1, 2], {b: 1}]);
  expect(graph.instances.map(({id}) => id)).toEqual([
    'n[a=null]',
    'n[a=true]',
    'n[a="true"]',
    'n[a=1]',
    'n[a="1"]',
    'n[a=[1,2]]',
    'n[a={"b":1}]',
  ]);
});

test('params stand for the whole, for axes and for rows', () => {
  const text = `params: {grid: {axes: {a: [1, 2]}, exclude: [{a: 2}]}, two: 2, rows: [{a: 2}]}
stages:
  n: {uses: number, with: {value: "\${a}"}, sweep: "\${grid}"}
  m: {uses: number, with: {value: "\${a}"}, sweep: {axes: {a: [1, "\${two}", 3]}, exclude: "\${rows}"}}
`;
  expect(Object.keys(paramsOf(graphOf(text)))).toEqual(['n[a=1]', 'm[a=1]', 'm[a=3]']);
});

test.each([
  ['{axes: {a: [1], b: [1]}, exlude: [{a: 1}]}', ['unknown-key']],
  ['{zip: {a: [1, 2], b: [1]}}', ['zip-length']],
  ['{zip: {a: [1, 1], b: [2, 2.0]}}', ['duplicate-value']],
  ['{axes: {a: [1]}, zip: {a: [2], b: [3]}}', ['duplicate-key']],
  ['{axes: {a: [1], b: [1]}, exclude: [{a: 1}]}', ['empty-sweep']],
  ['{axes: {a: [1], b: [1]}, exclude: [{c: 1}]}', ['unknown-axis']],
  ['{axes: {a: [1], b: [1]}, exclude: [{value: 1}]}', ['unknown-axis']],
  ['{axes: {a: [1], b: [1]}, include: [{a: 1, vlaue: 1}]}', ['unknown-axis']],
  ['{axes: {a: [1], b: [1]}, include: [{a: 2, value: 1}]}', ['no-such-point']],
  ['{axes: {a: [1], b: [1]}, include: [{a: "${b}", b: 1}]}', ['wrong-type']],
  ['{axes: {a: [1], b: [1]}, include: [{}]}', ['wrong-type']],
  ['{axes: {a: [1], b: [1]}, include: {a: 1}}', ['wrong-type']],
  ['{include: [{a: 1, b: 2}, {a: 1, b: 3}, {a: 1.0, b: 2}]}', ['duplicate-value']],
  ['{axes: [a], zip: 3}', ['wrong-type', 'wrong-type']],
])('the sweep %s is refused as %j', (sweep, codes) => {
  expect(codesOf(node(sweep))).toEqual(codes);
});

test('rows alone that are none are no sweep, and beside swept inputs they set nothing', () => {
  const text = `params: {rows: [{k: 1}], more: [{value: 1, by: 2}]}
stages:
  n: {uses: number, sweep: {include: "\${rows}"}, with: {value: "\${k}"}}
  m: {uses: number, sweep: {axes: {value: [1]}, include: []}}
  z: {uses: number, sweep: {value: [1, 2]}}
  y: {uses: mod, in: {a: z.summary}, with: {by: 3}, sweep: {include: "\${more}"}}
`;
  expect(faultsOf(text, {set: ['rows=[]', 'more=[]']})).toBe(
    `--set:1:6 empty-sweep
The sweep of "n" has no points: "include" is empty.
  rows=[]
       ^^
Give it at least one row.`,
  );
  expect(paramsOf(graphOf(text, {set: ['more=[]']}))).toEqual({
    'n[k=1]': {value: 1},
    'm[value=1]': {value: 1},
    'z[value=1]': {value: 1},
    'z[value=2]': {value: 2},
    'y[value=1]': {by: 3},
    'y[value=2]': {by: 3},
  });
});

test('a row of which a later one sets everything anew is a fault, since a point seems to be meant', () => {
  const text = `stages:
  n: {uses: number, sweep: {value: [7, 8]}}
  m: {uses: more, in: {a: n.summary}, sweep: {include: [{by: 1, value: 7}, {by: 2, value: 7}, {by: 3, value: 8}]}}
  t:
    run: [echo, a, "\${k + v}"]
    out: {}
    sweep:
      axes: {k: [1], v: [1, 2]}
      include:
        - {k: 1, v: 1.0, env: {A: b}, run: [echo, b]}
        - {k: 1, v: 1, run: [echo, c]}
        - {v: 2, env: {A: c}}
        - {k: 1, v: 1, env: {A: d}}
        - {k: 1, run: [echo, d]}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:3:57 overridden-row
What the row {by: 1, value: 7} sets is lost: {by: 2, value: 7} sets "by" at the same points.
    m: {uses: more, in: {a: n.summary}, sweep: {include: [{by: 1, value: 7}, {by: 2, value: 7}, {by: 3, value: 8}]}}
                                                          ^^^^^^^^^^^^^^^^^
Remove one; for a point of each, give the rows an axis that is no parameter, and use it under "with".

p.yaml:11:11 overridden-row
What the row {k: 1, v: 1} sets is lost: {k: 1} sets "run" at the same points.
          - {k: 1, v: 1, run: [echo, c]}
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
Remove one; for a point of each, give the rows an axis that is no parameter, and use it under "with".`,
  );
});

test('rows alone cannot make an axis that is named like a param', () => {
  expect(codesOf(`params: {value: 5}\n${node('{include: [{value: 1, a: 1}, {value: 2, a: 2}]}', '${a}')}`)).toContain(
    'axis-shadows-param',
  );
});

test('faults of rows say where and what to do, all at once', () => {
  const text = `stages:
  n:
    uses: sleepless-train
    with: {steps: "\${k}"}
    sweep:
      axes: {seed: [1, 2], k: [4]}
      include: [{seed: 1, stepps: 2}, {seed: 7, steps: 3}]
  m:
    uses: sleepless-train
    sweep: {axes: {seed: [1], steps: [5]}, include: [{seed: 1, steps: many}, {seed: 2, steps: 0}]}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:7:27 unknown-axis
"stepps" is neither an axis here nor a parameter of "sleepless-train".
        include: [{seed: 1, stepps: 2}, {seed: 7, steps: 3}]
                            ^^^^^^
Did you mean "steps"?

p.yaml:7:39 no-such-point
"n" has no point {seed: 7, steps: 3}.
        include: [{seed: 1, stepps: 2}, {seed: 7, steps: 3}]
                                        ^^^^^^^^^^^^^^^^^^^
Correct its values, or give "k" too, to add a point.

p.yaml:10:71 bad-parameter
"steps" of "sleepless-train" must be a whole number of at least 1, but is "many".
      sweep: {axes: {seed: [1], steps: [5]}, include: [{seed: 1, steps: many}, {seed: 2, steps: 0}]}
                                                                        ^^^^
steps: Steps to count.

p.yaml:10:95 bad-parameter
"steps" of "sleepless-train" must be a whole number of at least 1, but is 0.
      sweep: {axes: {seed: [1], steps: [5]}, include: [{seed: 1, steps: many}, {seed: 2, steps: 0}]}
                                                                                                ^
steps: Steps to count.`,
  );
});
