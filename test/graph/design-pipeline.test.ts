import {expect, test} from 'vitest';
import {z} from 'zod';
import {buildGraph} from '../../src/graph/build-graph.ts';
import {readSpec} from '../../src/spec/read-spec.ts';
import {defineStage, type Inputs, type Outputs, type Registry, type Stage} from '../../src/stage/define-stage.ts';
import {faultsOf, graphOf, idsOf, paramsOf} from '../rig/read-text.ts';

// The pipeline that DESIGN.md shows, against stages with the inputs and outputs it speaks of.

const DATA = z.strictObject({name: z.string(), root: z.string()});
const LENGTH = z.string().regex(/^\d+(ep|it)$/);
const WEIGHTS = {kind: 'weights', doc: 'Weights.'} as const;
const MASK = {kind: 'mask', doc: 'A mask.'} as const;
const POINTS = {kind: 'points', doc: 'A point.'} as const;

const stage = (name: string, params: z.ZodType, inputs: Inputs, outputs: Outputs): [string, Stage] => [
  name,
  defineStage({name, version: 1, doc: name, params, inputs, outputs, computes: 'plain', run: async () => ({})}),
];

const TRAINING = {data: DATA, length: LENGTH, lr: z.number().gt(0)};
const STAGES: Registry = new Map([
  stage(
    'pretrain-load',
    z.strictObject({source: z.string(), labels: z.int(), head_seed: z.int()}),
    {},
    {weights: WEIGHTS},
  ),
  stage('finetune', z.strictObject({...TRAINING, seed: z.int()}), {weights: WEIGHTS}, {weights: WEIGHTS}),
  stage('interpolate', z.strictObject({data: DATA, alpha: z.number()}), {a: WEIGHTS, b: WEIGHTS}, {points: POINTS}),
  stage(
    'barrier',
    z.strictObject({}),
    {points: {...POINTS, many: {over: ['alpha']}}},
    {summary: {kind: 'summary', doc: 'The barrier.', columns: {split: 'utf8', error_instability: 'float64'}}},
  ),
  stage(
    'platon-prune',
    z.strictObject({...TRAINING, keep: z.number()}),
    {weights: WEIGHTS},
    {weights: WEIGHTS, mask: MASK},
  ),
  stage('mask-retrain', z.strictObject(TRAINING), {weights: WEIGHTS, mask: MASK}, {weights: WEIGHTS}),
]);

const TEXT = `# yaml-language-server: $schema=./pipeline.schema.json
name: linear-mode-connectivity
params:
  alphas: {linspace: [0, 1, 25]}
  keeps: [0.2, 0.05]
  data: {name: cifar10, root: ../data}
stages:
  pretrain-load: {uses: pretrain-load, with: {source: "hf:google/vit-base-patch16-224-in21k", labels: 10, head_seed: 0}}
  finetune-A: {uses: finetune, in: {weights: pretrain-load.weights}, with: {data: "\${data}", seed: 1, length: 8ep, lr: 2.0e-4}}
  finetune-B: {uses: finetune, in: {weights: pretrain-load.weights}, with: {data: "\${data}", seed: 2, length: 8ep, lr: 2.0e-4}}
  interpolate:
    uses: interpolate
    in: {a: finetune-A.weights, b: finetune-B.weights}
    with: {data: "\${data}"}
    sweep: {alpha: "\${alphas}"}
  barrier: {uses: barrier, in: {points: interpolate.points}}       # gathers over alpha
  platon-prune:
    uses: platon-prune
    in: {weights: pretrain-load.weights}
    with: {data: "\${data}", length: 4ep, lr: 2.0e-4}
    sweep: {keep: "\${keeps}"}
  mask-retrain:                                                    # follows keep through its input
    uses: mask-retrain
    in: {weights: pretrain-load.weights, mask: platon-prune.mask}
    with: {data: "\${data}", length: 4ep, lr: 2.0e-4}
expect:
  - {of: barrier.summary, where: "split == 'test'", that: "error_instability < 2.0"}
plots:
  - {name: barrier, data: {from: barrier.summary}, mark: point, encoding: {x: {field: split}, y: {field: error_instability}}}
`;

test('the pipeline of DESIGN unrolls as it says', () => {
  const graph = graphOf(TEXT, {}, STAGES);
  expect(graph.instances).toHaveLength(33);
  expect(graph.nodes.map(({name, instances}) => `${name} ×${instances.length}`)).toEqual([
    'pretrain-load ×1',
    'finetune-A ×1',
    'finetune-B ×1',
    'interpolate ×25',
    'barrier ×1',
    'platon-prune ×2',
    'mask-retrain ×2',
  ]);
  expect(idsOf(graph)).toContain('platon-prune[keep=0.2]');
  expect(idsOf(graph)).toContain('mask-retrain[keep=0.05]');
  expect(paramsOf(graph)).toMatchObject({
    'interpolate[alpha=0.25]': {alpha: 0.25, data: {name: 'cifar10', root: '../data'}},
    'platon-prune[keep=0.2]': {keep: 0.2, length: '4ep', lr: 0.0002},
    // Equal work for each mask: the axis itself is in no parameter of it.
    'mask-retrain[keep=0.2]': {length: '4ep', lr: 0.0002},
  });
  expect(graph.plots).toMatchObject([{name: 'barrier', tables: [{node: 'barrier', artifact: 'summary'}]}]);
  expect(graph.expectations).toMatchObject([{node: 'barrier', artifact: 'summary', that: 'error_instability < 2.0'}]);
});

test('49 alphas keep the 25 points that were there', () => {
  const before = paramsOf(graphOf(TEXT, {}, STAGES));
  const after = paramsOf(graphOf(TEXT, {set: ['alphas.linspace=[0,1,49]']}, STAGES));
  expect(after).toMatchObject(before);
  expect(Object.keys(after)).toHaveLength(57);
});

test('its mistakes are told in its words', () => {
  const text = TEXT.replace('interpolate.points}}', 'interpolate.weights}}').replace(
    'mask: platon-prune.mask',
    'mask: platon-prune.weights',
  );
  expect(faultsOf(text, {}, STAGES)).toBe(
    `p.yaml:16:41 unknown-artifact
The node "interpolate" has no artifact "weights".
    barrier: {uses: barrier, in: {points: interpolate.weights}}       # gathers over alpha
                                          ^^^^^^^^^^^^^^^^^^^
The artifacts of "interpolate" are: points.

p.yaml:24:48 wrong-kind
The input "mask" takes mask, but "platon-prune.weights" is weights.
      in: {weights: pretrain-load.weights, mask: platon-prune.weights}
                                                 ^^^^^^^^^^^^^^^^^^^^
Use "platon-prune.mask", which is of kind mask.`,
  );
});

test('reading and building one after the other give what reading a pipeline gives', () => {
  const spec = readSpec({path: 'pipelines/test.yaml', text: TEXT});
  const graph = spec.ok ? buildGraph(spec.value, STAGES) : spec;
  expect(graph).toEqual({ok: true, value: graphOf(TEXT, {}, STAGES)});
  expect(readSpec({path: 'p.yaml', text: 'stages: {n: 5}'})).toMatchObject({ok: false, error: [{code: 'wrong-type'}]});
  expect(spec.ok && buildGraph(spec.value, new Map())).toMatchObject({ok: false, error: {length: 7}});
});
