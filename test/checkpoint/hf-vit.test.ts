import {readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Weights} from '../../src/artifact/kinds.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {POSITIONS} from '../../stages/lib/models/vit-parameters.ts';
import {copyOf, fixture, pretrained, rename, tensorsOf, writeTensors} from '../rig/checkpoints.ts';
import {lossAndGradients, norm, relativeError} from '../rig/gradients.ts';
import {lcg} from '../rig/lcg.ts';
import {backends} from '../rig/tensor-backends.ts';

const logits = z.array(z.array(z.number()));
// What transformers gives where the fixtures do not say; made by test/python/hf_vit_reference.py.
const reference = z
  .object({
    hidden_act: z.record(z.string(), logits),
    image_size: z.record(z.string(), logits),
    'base-with-pooler': z.object({logits, loss: z.number(), grad_l2: z.record(z.string(), z.number())}),
  })
  .parse(JSON.parse(readFileSync(new URL('../golden/hf-vit.json', import.meta.url), 'utf8')));

async function expectLogits(weights: Weights, expected: readonly (readonly number[])[]): Promise<void> {
  const model = bindModel(weights.model);
  const shape = [expected.length, model.channels, model.imageSize, model.imageSize];
  const pictures = {shape, values: Float32Array.from(lcg(777, shape))};
  const tensors = new Map(weights.tensors.map((tensor) => [tensor.name, tensor]));
  for (const {name, tf} of await backends()) {
    await tf.setBackend(name);
    const found = lossAndGradients(
      tf,
      model,
      tensors,
      pictures,
      expected.map(() => 0),
    );
    expect(relativeError(found.logits, expected.flat()), name).toBeLessThan(1e-5);
  }
}

test('a body with a pooler has the logits, loss and gradients of transformers under one head, on every back end', async () => {
  const {weights} = await pretrained({source: fixture('base-with-pooler'), labels: 4});
  const model = bindModel(weights.model);
  const head = (seed: number, shape: readonly number[]) => Float32Array.from(lcg(seed, shape), (value) => 0.2 * value);
  const tensors = new Map(weights.tensors.map((tensor) => [tensor.name, tensor]));
  tensors.set('classifier.weight', {name: 'classifier.weight', shape: [4, 48], values: head(41, [4, 48])});
  tensors.set('classifier.bias', {name: 'classifier.bias', shape: [4], values: head(42, [4])});
  const pictures = {shape: [8, 3, 32, 32], values: Float32Array.from(lcg(777, [8, 3, 32, 32]))};
  const expected = reference['base-with-pooler'];
  const total = norm(Object.values(expected.grad_l2));
  expect(Object.keys(expected.grad_l2).sort()).toEqual(model.parameters.map(({name}) => name));
  for (const {name: backend, tf} of await backends()) {
    await tf.setBackend(backend);
    const found = lossAndGradients(tf, model, tensors, pictures, [0, 1, 2, 3, 0, 1, 2, 3]);
    expect(relativeError(found.logits, expected.logits.flat()), backend).toBeLessThan(1e-5);
    expect(Math.abs(found.loss / expected.loss - 1), backend).toBeLessThan(1e-5);
    for (const [name, length] of Object.entries(expected.grad_l2)) {
      const error = Math.abs(norm(found.gradients[name] ?? []) - length);
      expect(error, `${backend}, ${name}`).toBeLessThan(1e-4 * Math.max(length, 1e-3 * total));
    }
  }
});

test.each(Object.entries(reference.hidden_act))(
  'hidden_act %s computes what it does in transformers',
  async (name, expected) => {
    const path = copyOf('p4-32', (config) => {
      config.hidden_act = name;
    });
    await expectLogits((await pretrained({source: path})).weights, expected);
  },
);

test.each(Object.entries(reference.image_size))(
  'image_size %s gives the logits of interpolate_pos_encoding, larger and smaller than the checkpoint',
  async (side, expected) => {
    const {weights} = await pretrained({source: fixture('p16-64'), image_size: Number(side)});
    expect(weights.model).toMatchObject({image_size: Number(side)});
    expect(weights.preprocessor).toMatchObject({size: {height: Number(side), width: Number(side)}});
    await expectLogits(weights, expected);
  },
);

test('image_size moves the positions alone, and not at the size that the network has', async () => {
  const own = (await pretrained({source: fixture('p16-64')})).weights;
  expect((await pretrained({source: fixture('p16-64'), image_size: 64})).weights).toEqual(own);
  const larger = (await pretrained({source: 'upstream', labels: 5, image_size: 96}, own)).weights;
  const fresh = (await pretrained({source: fixture('p16-64'), labels: 5, image_size: 96})).weights;
  expect(larger).toEqual(fresh);
  const others = ({tensors}: Weights) =>
    tensors.filter(({name}) => name !== POSITIONS && !name.startsWith('classifier'));
  expect(others(larger)).toEqual(others(own));
  const {weights: mlp} = await pretrained({source: 'random', model: {model: 'mlp', hidden: [3]}});
  await expect(pretrained({source: 'upstream', labels: 2, image_size: 8}, mlp)).rejects.toThrow(/network of kind mlp/);
  await expect(pretrained({source: fixture('p16-64'), image_size: 100})).rejects.toThrow(/patch_size must divide/);
});

test('without image_size a preprocessor for other pictures is refused, with the parameter that allows it', async () => {
  const path = copyOf('p16-64');
  writeFileSync(join(path, 'preprocessor_config.json'), '{"size": {"height": 96, "width": 96}}');
  await expect(pretrained({source: path})).rejects.toThrow(
    expect.objectContaining({hint: expect.stringContaining('`image_size`')}),
  );
  const {weights} = await pretrained({source: path, image_size: 96});
  expect(weights).toEqual((await pretrained({source: fixture('p16-64'), image_size: 96})).weights);
});

test('shards are put together into the same checkpoint', async () => {
  const path = copyOf('p4-32');
  const tensors = tensorsOf(path);
  const shards = [tensors.slice(0, 20), tensors.slice(20)];
  const map = shards.flatMap((shard, place) =>
    shard.map(([name]) => [name, `model-0000${place + 1}-of-00002.safetensors`]),
  );
  shards.forEach((shard, place) => {
    writeTensors(join(path, `model-0000${place + 1}-of-00002.safetensors`), shard);
  });
  rmSync(join(path, 'model.safetensors'));
  writeFileSync(
    join(path, 'model.safetensors.index.json'),
    JSON.stringify({metadata: {}, weight_map: Object.fromEntries(map)}),
  );
  const {weights} = await pretrained({source: path});
  expect(weights).toEqual((await pretrained({source: fixture('p4-32')})).weights);
  renameSync(join(path, 'model-00002-of-00002.safetensors'), join(path, 'gone'));
  await expect(pretrained({source: path})).rejects.toThrow(/model-00002-of-00002\.safetensors is missing/);
});

test('weights in BF16 are those in F32 with the lower half of their bits gone', async () => {
  const path = copyOf('p4-32');
  const cut = tensorsOf(path).map(([name, {shape, data}]) => {
    const halves = new Uint16Array(data.buffer).filter((_, index) => index % 2 === 1);
    return [name, {dtype: 'BF16', shape, data: new Uint8Array(halves.buffer)}] as const;
  });
  writeTensors(join(path, 'model.safetensors'), cut);
  const {weights} = await pretrained({source: path});
  const {tensors} = (await pretrained({source: fixture('p4-32')})).weights;
  const expected = tensors.map((tensor) => {
    const bits = new Uint32Array(tensor.values.buffer.slice(tensor.values.byteOffset)).subarray(
      0,
      tensor.values.length,
    );
    return {...tensor, values: new Float32Array(bits.map((word) => word & 0xffff0000).buffer)};
  });
  expect(weights.tensors).toEqual(expected);
});

test('a head for another task, and a class count that the head has not, are named', async () => {
  const masked = copyOf('p4-32');
  rename(masked, (name) => name.replace('classifier.', 'decoder.0.'));
  await expect(pretrained({source: masked, labels: 3})).rejects.toThrow(
    /not known: decoder\.0\.bias, decoder\.0\.weight/,
  );
  const other = copyOf('p4-32', (config) => {
    config.id2label = {0: 'cat', 1: 'dog'};
  });
  await expect(pretrained({source: other})).rejects.toThrow(/classifier\.weight is \[10,48\] and should be \[2,48\]/);
});

test.each([
  ['hidden_act', 'quick_gelu', /hidden_act: Invalid option: expected one of "gelu"/],
  ['problem_type', 'regression', /problem_type is "regression"/],
  ['problem_type', 'multi_label_classification', /one class a picture/],
  ['pruned_heads', {0: [1]}, /pruned_heads/],
  ['quantization_config', {bits: 4}, /quantization_config/],
])('config.json with %s %j is refused by name', async (field, value, message) => {
  const path = copyOf('p4-32', (config) => {
    config[field] = value;
  });
  await expect(pretrained({source: path})).rejects.toThrow(message);
});
