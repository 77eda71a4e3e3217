import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {z} from 'zod';
import type {Mask, Weights} from '../../src/artifact/kinds.ts';
import exportStage from '../../stages/export.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {copyOf, fixture, pretrained} from '../rig/checkpoints.ts';
import {lossAndGradients, relativeError} from '../rig/gradients.ts';
import {lcg} from '../rig/lcg.ts';
import {printedBy, pythonWith} from '../rig/python.ts';
import {withBackend} from '../rig/tensor-backends.ts';
import {recordingServices} from '../training/services.ts';

const folder = mkdtempSync(join(tmpdir(), 'basin-export-'));
afterAll(() => rmSync(folder, {recursive: true}));

/** Exports into a new folder, whose path is given. */
async function exported(weights: Weights, mask?: Mask): Promise<string> {
  const services = {...recordingServices().services, folder: async () => mkdtempSync(join(folder, 'out-'))};
  const {model} = await exportStage.run({params: {}, inputs: {weights, ...(mask && {mask})}, services});
  if (model === undefined || !('path' in model)) throw new Error('not what it declares');
  return dirname(model.path);
}

test.each(['p4-32', 'p16-64'])(
  '%s exported is the file that transformers wrote, byte for byte, and loads as the same weights',
  async (name) => {
    const {weights} = await pretrained({source: fixture(name)});
    const path = await exported(weights);
    expect(
      readFileSync(join(path, 'model.safetensors')).equals(readFileSync(join(fixture(name), 'model.safetensors'))),
    ).toBe(true);
    expect((await pretrained({source: path})).weights).toEqual(weights);
  },
);

const SHADES = Array.from({length: 10}, (_, label) => (label < 2 ? 'grey' : `shade ${label}`));
const withNames = () =>
  copyOf('p4-32', (config) => {
    config.id2label = Object.fromEntries(SHADES.entries());
  });

test('names of classes come out as they went in', async () => {
  const {weights} = await pretrained({source: withNames()});
  const path = await exported(weights);
  const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'));
  expect(config).toMatchObject({id2label: Object.fromEntries(SHADES.entries()), label2id: {'shade 9': 9}});
  expect(config).not.toHaveProperty('class_names');
  expect((await pretrained({source: path})).weights).toEqual(weights);
});

test('a mask is written as zeros, and what it does not name is kept whole', async () => {
  const {weights} = await pretrained({source: fixture('p4-32')});
  const name = 'vit.encoder.layer.1.output.dense.weight';
  const whole = weights.tensors.find((tensor) => tensor.name === name);
  if (!whole) throw new Error('the fixture has another shape');
  const bits = Uint8Array.from(whole.values, (_, index) => (index % 3 === 0 ? 1 : 0));
  const path = await exported(weights, {tensors: [{name, shape: whole.shape, bits}]});
  const {tensors} = (await pretrained({source: path})).weights;
  for (const [place, tensor] of weights.tensors.entries()) {
    const expected =
      tensor.name === name ? tensor.values.map((value, index) => (index % 3 === 0 ? value : 0)) : tensor.values;
    expect(tensors[place]?.values).toEqual(expected);
  }
  await expect(
    exported(weights, {tensors: [{name: 'vit.else.weight', shape: [2], bits: Uint8Array.of(1, 0)}]}),
  ).rejects.toThrow(/mask does not fit the weights: vit\.else\.weight/);
});

test('what transformers has not, and tensors that are not the whole network, are refused', async () => {
  const {weights: mlp} = await pretrained({source: 'random', model: {model: 'mlp', hidden: [3]}});
  await expect(exported(mlp)).rejects.toThrow(/network of kind mlp cannot be exported/);
  const {weights} = await pretrained({source: fixture('p4-32')});
  await expect(exported({...weights, tensors: weights.tensors.slice(1)})).rejects.toThrow(/missing: classifier\.bias/);
});

const found = pythonWith('transformers', 'torch', 'PIL');
if ('reason' in found) console.warn(`Exports are not loaded with transformers: ${found.reason}`);

const report = z.object({
  told: z.unknown(),
  architectures: z.unknown(),
  labels: z.array(z.string()),
  hidden_act: z.string(),
  processor: z.unknown(),
  size: z.unknown(),
  logits: z.array(z.array(z.number())),
});

const small = {
  model: 'vit',
  image_size: 12,
  patch_size: 4,
  hidden_size: 8,
  num_attention_heads: 2,
  num_hidden_layers: 2,
};
const EXPORTED: readonly (readonly [what: string, weights: () => Promise<Weights>])[] = [
  ['a checkpoint', async () => (await pretrained({source: fixture('p16-64')})).weights],
  ['one with names of classes', async () => (await pretrained({source: withNames()})).weights],
  [
    'one of tanh GELU at another size',
    async () => {
      const path = copyOf('p4-32', (config) => {
        config.hidden_act = 'gelu_new';
      });
      return (await pretrained({source: path, labels: 3, image_size: 48})).weights;
    },
  ],
  [
    'a random one of one channel, with ReLU and a preprocessor of its own',
    async () => {
      const model = {...small, num_channels: 1, labels: 2, hidden_act: 'relu', layer_norm_eps: 1e-6, qkv_bias: false};
      const preprocessor = {do_normalize: false, rescale_factor: 1 / 256, image_mean: [0.25], image_std: [0.75]};
      return (await pretrained({source: 'random', model: {...model, intermediate_size: 16}, preprocessor})).weights;
    },
  ],
];

test.skipIf('reason' in found)(
  'transformers loads exports with nothing missing or unexpected, and gives the same logits',
  {timeout: 60_000},
  async () => {
    if ('reason' in found) return;
    const tf = await withBackend('cpu');
    const networks = await Promise.all(EXPORTED.map(([, made]) => made()));
    const folders = await Promise.all(networks.map((weights) => exported(weights)));
    const loaded = z.array(report).parse(printedBy(found.python, 'load_exported.py', folders));
    for (const [place, weights] of networks.entries()) {
      const what = EXPORTED[place]?.[0];
      const model = bindModel(weights.model);
      expect(loaded[place], what).toMatchObject({
        told: {missing_keys: [], unexpected_keys: [], mismatched_keys: []},
        architectures: ['ViTForImageClassification'],
        labels: weights.model.class_names ?? Array.from({length: model.labels}, (_, label) => `LABEL_${label}`),
        hidden_act: weights.model.hidden_act,
        size: {height: model.imageSize, width: model.imageSize},
      });
      const {size: _, resample: __, ...flags} = weights.preprocessor;
      expect(loaded[place]?.processor, what).toEqual(flags);
      const shape = [2, model.channels, model.imageSize, model.imageSize];
      const tensors = new Map(weights.tensors.map((tensor) => [tensor.name, tensor]));
      const pictures = {shape, values: Float32Array.from(lcg(777, shape))};
      const {logits} = lossAndGradients(tf, model, tensors, pictures, [0, 0]);
      expect(relativeError(logits, loaded[place]?.logits.flat() ?? []), what).toBeLessThan(1e-5);
    }
  },
);
