// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Graph} from '../../src/graph/graph.ts';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import {defineStage} from '../../src/stage/define-stage.ts';
import {graphOf} from '../rig/read-text.ts';

const TEXT = `# a comment
name: study
params:
  alphas: [0, 0.50, 1]
stages:
  n: {uses: number, with: {value: 0.50}}
  s:
    uses: scale
    in: {a: n.summary}
    sweep: {alpha: "\${alphas}"}
  t: {uses: sleepless-train, with: {steps: 3, seed: 1}}
`;

/** All that a key is made from, besides content. */
const work = ({instances}: Graph): unknown =>
  Object.fromEntries(
    instances.map(({id, stage, params, inputs}) => [
      id,
      {stage: stage.name, params: JSON.stringify(params), inputs: Object.keys(inputs)},
    ]),
  );

test.each<[string, (text: string) => string]>([
  ['a comment', (text) => text.replace('# a comment', '# another\n')],
  ['0.50 for 0.5', (text) => text.replaceAll('0.50', '0.5')],
  ['0.5 for 5.0e-1', (text) => text.replaceAll('0.50', '5.0e-1')],
  [
    'the order of keys',
    (text) =>
      text
        .replace('steps: 3, seed: 1', 'seed: 1, steps: 3')
        .replace('uses: number, with: {value: 0.50}', 'with: {value: 0.50}, uses: number'),
  ],
  ['the name of the pipeline', (text) => text.replace('name: study', 'name: other')],
  ['a list by the formula that gives it', (text) => text.replace('[0, 0.50, 1]', '{linspace: [0, 1, 3]}')],
  ['quotes', (text) => text.replace('uses: scale', 'uses: "scale"')],
])('editing %s changes no work', (_, edit) => {
  expect(edit(TEXT)).not.toBe(TEXT);
  expect(work(graphOf(edit(TEXT)))).toEqual(work(graphOf(TEXT)));
});

test('the path of the file changes no work', () => {
  const registry = new Map(graphOf(TEXT).instances.map(({stage}) => [stage.name, stage]));
  const moved = readPipeline({path: '/elsewhere/other.yml', text: TEXT}, registry);
  expect(moved.ok && work(moved.value)).toEqual(work(graphOf(TEXT)));
});

test('validated parameters have their defaults, and equal ones are the same object', () => {
  const graph = graphOf(
    'stages:\n  a: {uses: sleepless-train, with: {steps: 3}}\n  b: {uses: sleepless-train, with: {seed: 0, steps: 3.0}}\n',
  );
  const [a, b] = graph.instances;
  expect(a?.params).toEqual({steps: 3, seed: 0});
  expect(b?.params).toBe(a?.params);
});

test('parameters are validated once for each different value, however many instances there are', () => {
  let parsed = 0;
  const counted = defineStage({
    name: 'counted',
    version: 1,
    doc: 'Counts its validations.',
    params: z.strictObject({seed: z.number(), unused: z.number().default(1)}).transform((params) => {
      parsed += 1;
      return params;
    }),
    inputs: {},
    outputs: {summary: {kind: 'summary', doc: 'Nothing.'}},
    computes: 'plain',
    async run() {
      return {summary: []};
    },
  });
  const text =
    'stages:\n  a: {uses: counted, sweep: {seed: [1, 2, 3]}}\n  b: {uses: counted, with: {seed: "${x % 2}"}, sweep: {x: {range: [1, 100, 1]}}}\n';
  const graph = graphOf(text, {}, new Map([['counted', counted]]));
  expect(graph.instances).toHaveLength(103);
  // 1, 2, 3 of a; 0 and 1 of b, of which 1 is known already.
  expect(parsed).toBe(4);
});

test('an axis sets the parameter of its name, also where it came with an input, unless "with" gives it', () => {
  const graph = graphOf(`stages:
  n: {uses: number, with: {value: "\${by}"}, sweep: {by: [2, 3]}}
  m: {uses: mod, in: {a: n.summary}}
  k: {uses: mod, in: {a: n.summary}, with: {by: 9}}
`);
  expect(Object.fromEntries(graph.instances.map(({id, params}) => [id, params]))).toEqual({
    'n[by=2]': {value: 2},
    'n[by=3]': {value: 3},
    'm[by=2]': {by: 2},
    'm[by=3]': {by: 3},
    'k[by=2]': {by: 9},
    'k[by=3]': {by: 9},
  });
});
