import {cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, expect, test} from 'vitest';
import {z} from 'zod';
import type {Row, Weights} from '../../src/artifact/kinds.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {NO_CHECKPOINTS} from '../../src/run/checkpoints.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import stage from '../../stages/pretrain-load.ts';
import {lossAndGradients, relativeError} from '../rig/gradients.ts';
import {safetensorsFile, trustedTensors} from '../rig/safetensors.ts';
import {withBackend} from '../rig/tensor-backends.ts';

const folder = mkdtempSync(join(tmpdir(), 'basin-pretrain-'));
afterAll(() => rmSync(folder, {recursive: true}));

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/hf-vit/${name}`, import.meta.url));
const services = {
  tf: await withBackend('cpu'),
  signal: new AbortController().signal,
  checkpoints: NO_CHECKPOINTS,
  progress() {},
  log() {},
  folder: () => Promise.reject(new Error('this stage was meant to need no folder')),
};

async function load(params: JsonObject, weights?: Weights): Promise<{weights: Weights; summary: Row | undefined}> {
  const inputs = weights === undefined ? {} : {weights};
  const {weights: loaded, summary} = await stage.run({params, inputs, services});
  if (!loaded || !('preprocessor' in loaded) || !summary || !('map' in summary))
    throw new Error('not what it declares');
  return {weights: loaded, summary: summary[0]};
}
const parts = ({tensors}: Weights, head: boolean) =>
  tensors.filter(({name}) => name.startsWith('classifier.') === head);

/** A copy of a fixture that a test may break. */
function copy(name: string, change: (config: Record<string, unknown>) => void = () => {}): string {
  const path = mkdtempSync(join(folder, 'copy-'));
  cpSync(fixture(name), path, {recursive: true});
  const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'));
  change(config);
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  return path;
}
/** The tensors of a fixture written anew, as another program would have named or cut them. */
function rewrite(path: string, change: (name: string) => string | undefined): void {
  const file = join(path, 'model.safetensors');
  const tensors = trustedTensors(new URL(`file://${file}`));
  const header: JsonObject[] = [];
  const data: Buffer[] = [];
  let end = 0;
  for (const [name, {shape, values}] of Object.entries(tensors)) {
    const renamed = change(name);
    if (renamed === undefined) continue;
    const begin = end;
    end += values.byteLength;
    header.push({[renamed]: {dtype: 'F32', shape, data_offsets: [begin, end]}});
    data.push(Buffer.from(values.buffer));
  }
  writeFileSync(file, safetensorsFile(JSON.stringify(Object.assign({}, ...header)), Buffer.concat(data)));
}

test('a checkpoint keeps its own head and gives the logits of transformers', async () => {
  const {weights, summary} = await load({source: fixture('p4-32')});
  expect(weights.model).toEqual({
    model: 'vit',
    labels: 10,
    image_size: 32,
    patch_size: 4,
    num_channels: 3,
    hidden_size: 48,
    num_hidden_layers: 3,
    num_attention_heads: 4,
    intermediate_size: 192,
    hidden_act: 'gelu',
    qkv_bias: true,
    layer_norm_eps: 1e-12,
    initializer_range: 0.02,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  });
  expect(weights.preprocessor).toEqual({
    do_resize: true,
    size: {height: 32, width: 32},
    resample: 2,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  });
  expect(summary).toEqual({tensors: 56, parameters: 90922, prunable: 3 * 48 * (4 * 48 + 2 * 192), labels: 10});
  const {pixel_values: pixels, logits: expected} = trustedTensors(
    new URL(`file://${fixture('p4-32')}/reference.safetensors`),
  );
  if (!pixels || !expected) throw new Error('the fixture is not whole');
  const tensors = new Map(weights.tensors.map((tensor) => [tensor.name, tensor]));
  const pictures = {shape: pixels.shape, values: Float32Array.from(pixels.values)};
  const {logits} = lossAndGradients(
    await withBackend('cpu'),
    bindModel(weights.model),
    tensors,
    pictures,
    Array(8).fill(0),
  );
  expect(relativeError(logits, expected.values)).toBeLessThan(1e-5);
});

test('with labels the body stays to the last bit and the head is made anew, equal for equal seeds', async () => {
  const own = (await load({source: fixture('p4-32')})).weights;
  const fresh = (await load({source: fixture('p4-32'), labels: 7, head_seed: 3})).weights;
  expect(parts(fresh, false)).toEqual(parts(own, false));
  expect(parts(fresh, true).map(({name, shape}) => [name, shape])).toEqual([
    ['classifier.bias', [7]],
    ['classifier.weight', [7, 48]],
  ]);
  const upstream = (await load({source: 'upstream', labels: 7, head_seed: 3}, own)).weights;
  expect(upstream).toEqual(fresh);
  const other = (await load({source: 'upstream', labels: 7, head_seed: 4}, own)).weights;
  expect(parts(other, true)).not.toEqual(parts(fresh, true));
});

test('a bare ViTModel (in21k) gets the prefix, loses its pooler, and needs labels', async () => {
  await expect(load({source: fixture('base-with-pooler')})).rejects.toThrow(/has no classifier of its own/);
  const {weights, summary} = await load({source: fixture('base-with-pooler'), labels: 4});
  expect(weights.tensors.filter(({name}) => name.includes('pooler'))).toEqual([]);
  expect(weights.tensors.map(({name}) => name)).toEqual(bindModel(weights.model).parameters.map(({name}) => name));
  expect(summary).toMatchObject({labels: 4});
});

test('names as transformers 5 has them in memory are the same checkpoint', async () => {
  const path = copy('p16-64');
  rewrite(path, (name) =>
    name
      .replace('encoder.layer.', 'layers.')
      .replace(/attention\.attention\.(.)\w+/, 'attention.$1_proj')
      .replace('attention.output.dense', 'attention.o_proj')
      .replace('intermediate.dense', 'mlp.fc1')
      .replace('output.dense', 'mlp.fc2'),
  );
  expect((await load({source: path})).weights).toEqual((await load({source: fixture('p16-64')})).weights);
});

test('tensors that are missing, not known or misshapen are all listed', async () => {
  const path = copy('p4-32', (config) => {
    config.intermediate_size = 96;
  });
  rewrite(path, (name) => (name === 'vit.layernorm.bias' ? undefined : name.replace('cls_token', 'clz_token')));
  const error = await load({source: path}).catch((caught) => caught);
  expect(error.name).toBe('UserError');
  expect(error.message).toContain('missing: vit.embeddings.cls_token, vit.layernorm.bias; ');
  expect(error.message).toContain('not known: vit.embeddings.clz_token; ');
  expect(error.message).toContain('vit.encoder.layer.0.intermediate.dense.bias is [192] and should be [96]');
  expect(error.message).toMatch(/and 3 more\.$/);
});

test('a preprocessor is read with its flags; what basin cannot do is refused', async () => {
  const path = copy('p4-32');
  const write = (value: unknown) => writeFileSync(join(path, 'preprocessor_config.json'), JSON.stringify(value));
  write({size: 32, do_normalize: false, image_mean: [0.1, 0.2, 0.3], do_convert_rgb: null, resample: 3});
  expect((await load({source: path})).weights.preprocessor).toMatchObject({
    size: {height: 32, width: 32},
    resample: 3,
    do_normalize: false,
    image_mean: [0.1, 0.2, 0.3],
    image_std: [0.5, 0.5, 0.5],
  });
  const cropped = {size: {shortest_edge: 40}, do_center_crop: true, crop_size: {height: 32, width: 32}};
  write({...cropped, image_std: 0.25});
  expect((await load({source: path})).weights.preprocessor).toMatchObject({...cropped, image_std: [0.25, 0.25, 0.25]});
  write({size: {longest_edge: 32}});
  await expect(load({source: path})).rejects.toThrow(/^preprocessor_config.json asks for what basin cannot do: size/);
  write({do_center_crop: true});
  await expect(load({source: path})).rejects.toThrow(/crop_size/);
  write({do_pad: true});
  await expect(load({source: path})).rejects.toThrow('preprocessor_config.json asks for do_pad');
  write({size: 64});
  await expect(load({source: path})).rejects.toThrow(/resizes pictures to 64x64, but the model takes 32x32/);
  write({image_mean: [0.5]});
  await expect(load({source: path})).rejects.toThrow(
    /1 means and 3 deviations, but the model's pictures have 3 channels/,
  );
});

test('weights that are not finite, and models that are no ViT, are refused', async () => {
  const other = copy('p4-32', (config) => {
    config.model_type = 'deit';
  });
  await expect(load({source: other})).rejects.toThrow('config.json describes a model of type "deit"');
  const swish = copy('p4-32', (config) => {
    config.hidden_act = 'swish';
  });
  await expect(load({source: swish})).rejects.toThrow(/hidden_act/);
  const broken = copy('p4-32');
  const file = join(broken, 'model.safetensors');
  const bytes = readFileSync(file);
  bytes.writeFloatLE(Number.NaN, bytes.length - 4);
  writeFileSync(file, bytes);
  await expect(load({source: broken})).rejects.toThrow(/with NaN or infinite values: vit\.layernorm\.weight/);
});

test('random weights need a model and a seed only; their preprocessor is theirs to give', async () => {
  const model = {model: 'mlp', hidden: [5]};
  const {weights, summary} = await load({source: 'random', model, seed: 2});
  expect(summary).toEqual({tensors: 4, parameters: 784 * 5 + 5 + 60, prunable: 784 * 5, labels: 10});
  expect(weights.preprocessor).toMatchObject({rescale_factor: 1 / 255, image_mean: [0.5], image_std: [0.5]});
  const given = await load({
    source: 'random',
    model,
    seed: 2,
    preprocessor: {image_mean: [0.1307], image_std: [0.3081]},
  });
  expect(given.weights.preprocessor).toMatchObject({image_mean: [0.1307], image_std: [0.3081]});
  expect(given.weights.tensors).toEqual(weights.tensors);
});

test('an input that the source does not use, or lacks, is refused', async () => {
  const {weights} = await load({source: 'random', model: {model: 'mlp', hidden: [5]}});
  await expect(load({source: 'upstream', labels: 3})).rejects.toThrow(/nothing is connected to the input/);
  await expect(load({source: 'random', model: {model: 'mlp'}}, weights)).rejects.toThrow(/source is random/);
});

test('parameters are a strict union whose output parses to itself', () => {
  const good: JsonObject[] = [
    {source: 'random', model: {model: 'vit'}, seed: 1},
    {source: 'upstream', labels: 10},
    {source: 'hf:a/b', labels: 10, head_seed: 1},
    {source: 'folder'},
  ];
  for (const value of good) {
    const parsed = stage.params.parse(value);
    expect(stage.params.parse(parsed)).toEqual(parsed);
  }
  const bad: JsonObject[] = [
    {source: 'random'},
    {source: 'random', model: {model: 'vit'}, head_seed: 1},
    {source: 'upstream'},
    {source: 'folder', head_seed: 1},
    {source: 'folder', model: {model: 'vit'}},
    {source: 'upstream', labels: 0},
    {source: 'random', model: {model: 'vit', hiden_size: 3}},
  ];
  for (const value of bad) expect(stage.params.safeParse(value).success, JSON.stringify(value)).toBe(false);
  expect(() => z.toJSONSchema(stage.params, {io: 'input'})).not.toThrow();
});
