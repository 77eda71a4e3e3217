import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Weights} from '../../src/artifact/kinds.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import stage from '../../stages/pretrain-load.ts';
import {copyOf, fixture, pretrained, rename} from '../rig/checkpoints.ts';
import {lossAndGradients, relativeError} from '../rig/gradients.ts';
import {trustedTensors} from '../rig/safetensors.ts';
import {withBackend} from '../rig/tensor-backends.ts';

const parts = ({tensors}: Weights, head: boolean) =>
  tensors.filter(({name}) => name.startsWith('classifier.') === head);

test('a checkpoint keeps its own head and gives the logits of transformers', async () => {
  const {weights, summary} = await pretrained({source: fixture('p4-32')});
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
  const own = (await pretrained({source: fixture('p4-32')})).weights;
  const fresh = (await pretrained({source: fixture('p4-32'), labels: 7, head_seed: 3})).weights;
  expect(parts(fresh, false)).toEqual(parts(own, false));
  expect(parts(fresh, true).map(({name, shape}) => [name, shape])).toEqual([
    ['classifier.bias', [7]],
    ['classifier.weight', [7, 48]],
  ]);
  const upstream = (await pretrained({source: 'upstream', labels: 7, head_seed: 3}, own)).weights;
  expect(upstream).toEqual(fresh);
  const other = (await pretrained({source: 'upstream', labels: 7, head_seed: 4}, own)).weights;
  expect(parts(other, true)).not.toEqual(parts(fresh, true));
});

test('a bare ViTModel (in21k) gets the prefix, loses its pooler, and needs labels', async () => {
  await expect(pretrained({source: fixture('base-with-pooler')})).rejects.toThrow(/has no classifier of its own/);
  const {weights, summary} = await pretrained({source: fixture('base-with-pooler'), labels: 4});
  expect(weights.tensors.filter(({name}) => name.includes('pooler'))).toEqual([]);
  expect(weights.tensors.map(({name}) => name)).toEqual(bindModel(weights.model).parameters.map(({name}) => name));
  expect(summary).toMatchObject({labels: 4});
});

test('names as transformers 5 has them in memory are the same checkpoint', async () => {
  const path = copyOf('p16-64');
  rename(path, (name) =>
    name
      .replace('encoder.layer.', 'layers.')
      .replace(/attention\.attention\.(.)\w+/, 'attention.$1_proj')
      .replace('attention.output.dense', 'attention.o_proj')
      .replace('intermediate.dense', 'mlp.fc1')
      .replace('output.dense', 'mlp.fc2'),
  );
  expect((await pretrained({source: path})).weights).toEqual((await pretrained({source: fixture('p16-64')})).weights);
});

test('tensors that are missing, not known or misshapen are all listed', async () => {
  const path = copyOf('p4-32', (config) => {
    config.intermediate_size = 96;
  });
  rename(path, (name) => (name === 'vit.layernorm.bias' ? undefined : name.replace('cls_token', 'clz_token')));
  const error = await pretrained({source: path}).catch((caught) => caught);
  expect(error.name).toBe('UserError');
  expect(error.message).toContain('missing: vit.embeddings.cls_token, vit.layernorm.bias; ');
  expect(error.message).toContain('not known: vit.embeddings.clz_token (is it vit.embeddings.cls_token?); ');
  expect(error.message).toContain('vit.encoder.layer.0.intermediate.dense.bias is [192] and should be [96]');
  expect(error.message).toMatch(/and 3 more\.$/);
});

test('a preprocessor is read with its flags; what basin cannot do is refused', async () => {
  const path = copyOf('p4-32');
  const write = (value: unknown) => writeFileSync(join(path, 'preprocessor_config.json'), JSON.stringify(value));
  const without = await pretrained({source: path});
  expect(without.lines).toEqual([
    expect.stringMatching(/has no preprocessor_config\.json.*defaults.*"image_mean":\[0\.5/),
  ]);
  write({size: 32, do_normalize: false, image_mean: [0.1, 0.2, 0.3], do_convert_rgb: null, resample: 3});
  const {weights, lines} = await pretrained({source: path});
  expect(lines).toEqual([]);
  expect(weights.preprocessor).toMatchObject({
    size: {height: 32, width: 32},
    resample: 3,
    do_normalize: false,
    image_mean: [0.1, 0.2, 0.3],
    image_std: [0.5, 0.5, 0.5],
  });
  const cropped = {size: {shortest_edge: 40}, do_center_crop: true, crop_size: {height: 32, width: 32}};
  write({...cropped, image_std: 0.25});
  expect((await pretrained({source: path})).weights.preprocessor).toMatchObject({
    ...cropped,
    image_std: [0.25, 0.25, 0.25],
  });
  expect((await pretrained({source: path, image_size: 16})).weights.preprocessor).toMatchObject({
    size: {shortest_edge: 20},
    crop_size: {height: 16, width: 16},
  });
  write({size: {longest_edge: 32}});
  await expect(pretrained({source: path})).rejects.toThrow(
    /^preprocessor_config.json asks for what basin cannot do: size/,
  );
  write({do_center_crop: true});
  await expect(pretrained({source: path})).rejects.toThrow(/crop_size/);
  write({do_pad: true});
  await expect(pretrained({source: path})).rejects.toThrow('preprocessor_config.json asks for do_pad');
  write({size: 64});
  await expect(pretrained({source: path})).rejects.toThrow(/resizes pictures to 64x64, but the model takes 32x32/);
  write({image_mean: [0.5]});
  await expect(pretrained({source: path})).rejects.toThrow(
    /1 means and 3 deviations, but the model's pictures have 3 channels/,
  );
});

test('a preprocessor is laid field by field over that of the weights, and counts above image_size', async () => {
  const path = copyOf('p4-32');
  const of = {do_center_crop: true, size: {shortest_edge: 40}, crop_size: {height: 32, width: 32}};
  const means = {image_mean: [0.1, 0.2, 0.3], image_std: [0.4, 0.5, 0.6]};
  writeFileSync(join(path, 'preprocessor_config.json'), JSON.stringify({...of, ...means, do_convert_rgb: null}));
  const preprocessorOf = async (params: JsonObject, weights?: Weights) =>
    (await pretrained(params, weights)).weights.preprocessor;
  const own = await preprocessorOf({source: path});
  expect(await preprocessorOf({source: path, preprocessor: {}})).toEqual(own);
  expect(await preprocessorOf({source: path, preprocessor: {do_convert_rgb: true, image_std: 0.25}})).toEqual({
    ...own,
    do_convert_rgb: true,
    image_std: [0.25, 0.25, 0.25],
  });
  const {do_center_crop: _, crop_size: __, ...uncropped} = own;
  const size = {height: 32, width: 32};
  expect(await preprocessorOf({source: path, preprocessor: {do_center_crop: false, size}})).toEqual({
    ...uncropped,
    size,
  });
  const resized = {source: path, image_size: 16, preprocessor: {size: {shortest_edge: 16}}};
  expect(await preprocessorOf(resized)).toMatchObject({
    size: {shortest_edge: 16},
    crop_size: {height: 16, width: 16},
  });
  const {weights} = await pretrained({source: path});
  const upstream = {source: 'upstream', labels: 10, preprocessor: {do_normalize: false}};
  expect(await preprocessorOf(upstream, weights)).toEqual({...own, do_normalize: false});
  const whole = copyOf('p4-32');
  await expect(preprocessorOf({source: whole, preprocessor: {do_center_crop: true}})).rejects.toThrow(
    /With `preprocessor` laid over that of the weights it cannot be used: crop_size/,
  );
});

test('weights that are not finite, and models that are no ViT, are refused', async () => {
  const other = copyOf('p4-32', (config) => {
    config.model_type = 'deit';
  });
  await expect(pretrained({source: other})).rejects.toThrow('config.json describes a model of type "deit"');
  const swish = copyOf('p4-32', (config) => {
    config.hidden_act = 'swish';
  });
  await expect(pretrained({source: swish})).rejects.toThrow(/hidden_act/);
  const broken = copyOf('p4-32');
  const file = join(broken, 'model.safetensors');
  const bytes = readFileSync(file);
  bytes.writeFloatLE(Number.NaN, bytes.length - 4);
  writeFileSync(file, bytes);
  await expect(pretrained({source: broken})).rejects.toThrow(/with NaN or infinite values: vit\.layernorm\.weight/);
});

test('random weights need a model and a seed only; their preprocessor is theirs to give', async () => {
  const model = {model: 'mlp', hidden: [5]};
  const {weights, summary} = await pretrained({source: 'random', model, seed: 2});
  expect(summary).toEqual({tensors: 4, parameters: 784 * 5 + 5 + 60, prunable: 784 * 5, labels: 10});
  expect(weights.preprocessor).toMatchObject({rescale_factor: 1 / 255, image_mean: [0.5], image_std: [0.5]});
  const given = await pretrained({
    source: 'random',
    model,
    seed: 2,
    preprocessor: {image_mean: [0.1307], image_std: [0.3081]},
  });
  expect(given.weights.preprocessor).toMatchObject({image_mean: [0.1307], image_std: [0.3081]});
  expect(given.weights.tensors).toEqual(weights.tensors);
});

test('an input that the source does not use, or lacks, is refused', async () => {
  const {weights} = await pretrained({source: 'random', model: {model: 'mlp', hidden: [5]}});
  await expect(pretrained({source: 'upstream', labels: 3})).rejects.toThrow(/nothing is connected to the input/);
  await expect(pretrained({source: 'random', model: {model: 'mlp'}}, weights)).rejects.toThrow(/source is random/);
});

test('parameters are a strict union whose output parses to itself', () => {
  const good: JsonObject[] = [
    {source: 'random', model: {model: 'vit'}, seed: 1},
    {source: 'upstream', labels: 10},
    {source: 'hf:a/b', labels: 10, head_seed: 1},
    {source: 'folder'},
    {source: 'folder', preprocessor: {do_convert_rgb: false}},
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
    {source: 'folder', preprocessor: {do_convert_rbg: true}},
    {source: 'random', model: {model: 'vit', hiden_size: 3}},
  ];
  for (const value of bad) expect(stage.params.safeParse(value).success, JSON.stringify(value)).toBe(false);
  expect(() => z.toJSONSchema(stage.params, {io: 'input'})).not.toThrow();
});
