import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {z} from 'zod';
import {digestOf} from '../../src/base/digest.ts';
import type {Json} from '../../src/base/json.ts';
import {registry} from '../../src/cli/registry.ts';
import {isCandidate, type OutputsByName} from '../../src/stage/define-stage.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {encodeOutput} from '../rig/encode-output.ts';
import {locatedMnist, preprocessor, randomMlp, randomVit, recordingServices, STAGES_ON} from '../training/services.ts';

// What every built-in stage gives for one small input, on cpu, which computes alike on every machine, beside the version it
// had then. A stage that gives other bytes under the same version would serve old results for new ones.

const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}, validation: {n: 10, seed: 1}});
const training = {data, length: '7it', lr: 1e-2, batch: 16, augment: [{shift: 2}, {flip: true}], evaluate_every: 4};
const weights = randomMlp(1, 2, [8, 6]);
const PRUNED = {name: 'vit.encoder.layer.0.output.dense.weight', shape: [4, 4]};
const network = bindModel({
  model: 'vit',
  image_size: 4,
  patch_size: 2,
  hidden_size: 4,
  num_attention_heads: 2,
  intermediate_size: 4,
  num_hidden_layers: 1,
});
const vit = {model: network.config, preprocessor: {do_resize: true}, tensors: initialise(network, 1)};
const residual = bindModel({
  model: 'resnet',
  norm: 'batch',
  depth: 8,
  width: 1,
  labels: 2,
  image_size: 28,
  num_channels: 1,
});
const normalised = {model: residual.config, preprocessor, tensors: initialise(residual, 1)};
const folder = mkdtempSync(join(tmpdir(), 'basin-versions-'));
afterAll(() => rmSync(folder, {recursive: true}));

const rows = z.array(z.record(z.string(), z.union([z.string(), z.number()])));

const work: Readonly<Record<string, {readonly params: object; readonly inputs?: (made: Made) => object}>> = {
  'pretrain-load': {params: {source: 'random', seed: 3, model: {model: 'mlp', hidden: [5], labels: 3}}},
  finetune: {params: training, inputs: () => ({weights})},
  interpolate: {
    params: {data, alpha: 0.3, train: 20, examples: true},
    inputs: ({finetune}) => ({a: weights, b: finetune?.weights}),
  },
  barrier: {
    params: {},
    inputs: ({interpolate}) => ({
      points: [0, 0.3, 1].flatMap((alpha) => rows.parse(interpolate?.points).map((row) => ({alpha, ...row}))),
    }),
  },
  instability: {
    params: {replicates: 20},
    inputs: ({interpolate}) => ({
      examples: [0, 0.3, 1].flatMap((alpha) => rows.parse(interpolate?.examples).map((row) => ({alpha, ...row}))),
    }),
  },
  layerwise: {
    params: {data, train: 20, mode: 'cumulative'},
    inputs: ({finetune}) => ({a: weights, b: finetune?.weights}),
  },
  'platon-prune': {
    params: {...training, keep: 0.3, warmup: 1, final_warmup: 2, interval: 2, traces: true},
    inputs: () => ({weights}),
  },
  'gradual-prune': {
    params: {...training, score: 'movement', keep: 0.3, warmup: 1, final_warmup: 2, interval: 2},
    inputs: () => ({weights}),
  },
  'mask-retrain': {params: training, inputs: (made) => ({weights, mask: made['platon-prune']?.mask})},
  'random-mask': {params: {seed: 4}, inputs: (made) => ({mask: made['platon-prune']?.mask})},
  'compare-masks': {
    params: {},
    inputs: (made) => ({a: made['platon-prune']?.mask, b: made['random-mask']?.mask}),
  },
  imp: {
    params: {...training, prune: {rule: 'open_lth', fraction: 0.3}},
    inputs: (made) => ({weights, mask: made['platon-prune']?.mask, head: made.finetune?.weights}),
  },
  'magnitude-prune': {
    params: {rule: 'original', rates: [{of: 'fc2', fraction: 0.5}]},
    inputs: (made) => ({weights: made.finetune?.weights, mask: made['random-mask']?.mask}),
  },
  'random-reinit': {params: {seed: 4}, inputs: () => ({weights})},
  'structured-prune': {
    params: {data, macs: 0.4, samples: 40, batch: 16, seed: 2},
    inputs: () => ({weights: randomVit(5)}),
  },
  summarize: {
    params: {columns: ['loss', 'error']},
    inputs: ({finetune}) => ({
      tables: [0, 1].map((replicate) => ({
        axes: {replicate},
        value: rows.parse(finetune?.summary).map((row) => ({...row, loss: replicate + 0.5, error: 3 * replicate})),
      })),
    }),
  },
  select: {
    params: {by: 'loss'},
    inputs: ({finetune}) => ({
      scores: [{axes: {lr: 0.01}, value: rows.parse(finetune?.summary)}],
      weights: [{axes: {lr: 0.01}, digest: digestOf('weights')}],
      mask: [{axes: {lr: 0.01}, digest: digestOf('mask')}],
    }),
  },
  export: {
    params: {},
    inputs: () => ({weights: vit, mask: {tensors: [{...PRUNED, bits: new Uint8Array(16).fill(1, 3, 9)}]}}),
  },
  evaluate: {params: {data, split: 'test'}, inputs: ({finetune}) => ({weights: finetune?.weights})},
  'estimate-statistics': {params: {data, pictures: 20}, inputs: () => ({weights: normalised})},
  'merge-linear': {params: {weight: [1, 3]}, inputs: (made) => networks(made)},
  'merge-slerp': {params: {t: 0.3}, inputs: ({finetune}) => ({a: weights, b: finetune?.weights})},
  'merge-greedy-soup': {params: {data}, inputs: (made) => networks(made)},
  'merge-task-arithmetic': {params: {lambda: 0.4}, inputs: (made) => ({base: weights, ...networks(made)})},
  'merge-ties': {params: {density: 0.2}, inputs: (made) => ({base: weights, ...networks(made)})},
  'merge-dare': {params: {density: 0.3, seed: 1}, inputs: (made) => ({base: weights, ...networks(made)})},
  'merge-model-stock': {params: {}, inputs: (made) => ({base: weights, ...networks(made)})},
};
type Made = Readonly<Record<string, OutputsByName>>;
/** Three different networks of one start. */
const networks = ({finetune, 'mask-retrain': retrained, 'platon-prune': pruned}: Made) => ({
  a: finetune?.weights,
  weights: [retrained, pruned].map((outputs, index) => ({axes: {index}, value: outputs?.weights})),
});

const pinned = z
  .record(z.string(), z.strictObject({version: z.int(), outputs: z.record(z.string(), z.string())}))
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '..', 'golden', 'stage-outputs.json'), 'utf8')));

test.runIf(STAGES_ON === 'cpu')('no built-in stage gives other bytes than it gave under this version', async () => {
  const made: Record<string, OutputsByName> = {};
  const found: Record<string, {version: string | number; outputs: Record<string, string>}> = {};
  for (const [name, {params, inputs}] of Object.entries(work)) {
    const stage = registry.get(name);
    if (!stage) throw new Error(`There is no stage ${name}`);
    const json: Json = JSON.parse(JSON.stringify(params));
    const outputs = await stage.run({
      params: json,
      inputs: {...inputs?.(made)},
      services: {...recordingServices().services, folder: async () => mkdtempSync(join(folder, 'stage-'))},
    });
    made[name] = outputs;
    const digests = Object.entries(stage.outputs).map(([output, declared]): [string, string] => {
      const value = outputs[output];
      if (value === undefined) throw new Error(`${name} gave no ${output}`);
      return [output, isCandidate(value) ? value.digest : digestOf(encodeOutput(declared, value))];
    });
    found[name] = {version: stage.version, outputs: Object.fromEntries(digests)};
  }
  // Where this fails on purpose: raise the stage's `version`, then put what is found here into test/golden/stage-outputs.json.
  expect(found).toEqual(pinned);
});

test('every built-in stage is pinned', () => {
  expect(Object.keys(work).sort()).toEqual([...registry.keys()].sort());
});
