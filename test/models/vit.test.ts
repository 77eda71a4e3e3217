import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import type {JsonObject} from '../../src/base/json.ts';
import {sizeOf} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {lossAndGradients, norm, relativeError} from '../rig/gradients.ts';
import {trustedTensors} from '../rig/safetensors.ts';
import {backends} from '../rig/tensor-backends.ts';

const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const golden = read('../golden/golden.json').vit_tiny;
const available = await backends();

/** The generator of golden.json: x ← 1664525 x + 1013904223 mod 2³², u = x / 2³². */
function generator(seed: number): () => number {
  let x = seed;
  return () => {
    x = (Math.imul(1664525, x) + 1013904223) >>> 0;
    return x / 2 ** 32;
  };
}

const tiny = bindModel({
  model: 'vit',
  labels: golden.config.labels,
  hidden_size: golden.config.hidden_size,
  image_size: golden.config.image_size,
  patch_size: golden.config.patch_size,
  num_hidden_layers: golden.config.layers,
  num_attention_heads: golden.config.heads,
  intermediate_size: golden.config.intermediate,
  layer_norm_eps: golden.config.layer_norm_eps,
});

test('the parameters have the names and shapes that HuggingFace writes, sorted by name', () => {
  expect(tiny.parameters.map(({name, shape}) => [name, shape])).toEqual(
    golden.names.map((name: string) => [name, golden.shapes[name]]),
  );
});

test('sizes are those that transformers counts for vit-base with 10 and 1000 labels and for tiny-random-vit', () => {
  const count = (config: JsonObject): number =>
    bindModel({model: 'vit', ...config}).parameters.reduce((sum, {shape}) => sum + sizeOf(shape), 0);
  expect(bindModel({model: 'vit', labels: 10}).parameters).toHaveLength(200);
  expect(count({labels: 10})).toBe(85_806_346);
  expect(count({labels: 1000})).toBe(86_567_656);
  const tiny = {hidden_size: 32, image_size: 30, patch_size: 2, num_hidden_layers: 5, num_attention_heads: 4};
  expect(count({...tiny, intermediate_size: 37})).toBe(41_755);
});

test('prunable are the block weights alone, and only the classifier is the head', () => {
  const prunable = tiny.parameters.filter((parameter) => parameter.prunable).map(({name}) => name);
  expect(prunable.filter((name) => name.startsWith('vit.encoder.layer.1.'))).toEqual([
    'vit.encoder.layer.1.attention.attention.key.weight',
    'vit.encoder.layer.1.attention.attention.query.weight',
    'vit.encoder.layer.1.attention.attention.value.weight',
    'vit.encoder.layer.1.attention.output.dense.weight',
    'vit.encoder.layer.1.intermediate.dense.weight',
    'vit.encoder.layer.1.output.dense.weight',
  ]);
  expect(prunable).toHaveLength(12);
  expect(tiny.parameters.filter(({head}) => head).map(({name}) => name)).toEqual([
    'classifier.bias',
    'classifier.weight',
  ]);
});

for (const {name: backend, tf} of available) {
  test(`${backend}: the golden tiny ViT has its logits, loss and gradients`, async () => {
    await tf.setBackend(backend);
    const weight = generator(12345);
    const tensors = new Map(
      tiny.parameters.map(({name, shape}) => {
        const offset = name.includes('layernorm') && name.endsWith('weight') ? 1 : 0;
        const size = shape.reduce((product, extent) => product * extent, 1);
        return [name, {shape, values: Float32Array.from({length: size}, () => (weight() - 0.5) * 0.4 + offset)}];
      }),
    );
    const pixel = generator(777);
    const pictures = {shape: [4, 3, 8, 8], values: Float32Array.from({length: 768}, () => (pixel() - 0.5) * 2)};
    const {loss, logits, gradients} = lossAndGradients(tf, tiny, tensors, pictures, golden.labels);
    expect(relativeError(logits, golden.logits.flat())).toBeLessThan(1e-5);
    expect(Math.abs(loss - golden.loss) / golden.loss).toBeLessThan(1e-5);
    const total = norm(Object.values<number>(golden.grad_l2));
    for (const name of golden.names) {
      const gradient = gradients[name] ?? new Float32Array();
      expect(Math.abs(norm(gradient) - golden.grad_l2[name]), name).toBeLessThan(
        1e-4 * Math.max(golden.grad_l2[name], 1e-3 * total),
      );
      const sum = gradient.reduce((subtotal, value) => subtotal + value, 0);
      expect(Math.abs(sum - golden.grad_sum[name]), name).toBeLessThan(1e-5 * total);
    }
  });

  for (const fixture of ['p4-32', 'p16-64']) {
    test(`${backend}: ${fixture} has the logits, loss and gradients that transformers gives`, async () => {
      await tf.setBackend(backend);
      const folder = `../fixtures/hf-vit/${fixture}`;
      const {id2label, ...config} = read(`${folder}/config.json`);
      const {loss: expectedLoss, grad_l2: expected} = read(`${folder}/gradients.json`);
      const weights = trustedTensors(new URL(`${folder}/model.safetensors`, import.meta.url));
      const reference = trustedTensors(new URL(`${folder}/reference.safetensors`, import.meta.url));
      const model = bindModel({
        model: 'vit',
        labels: Object.keys(id2label).length,
        image_size: config.image_size,
        patch_size: config.patch_size,
        hidden_size: config.hidden_size,
        num_hidden_layers: config.num_hidden_layers,
        num_attention_heads: config.num_attention_heads,
        intermediate_size: config.intermediate_size,
        layer_norm_eps: config.layer_norm_eps,
        qkv_bias: config.qkv_bias,
      });
      const tensors = new Map(
        Object.entries(weights).map(([name, {shape, values}]) => [name, {shape, values: Float32Array.from(values)}]),
      );
      const {pixel_values: pixels, labels, logits: expectedLogits} = reference;
      if (!pixels || !labels || !expectedLogits) throw new Error('the fixture is not whole');
      const pictures = {shape: pixels.shape, values: Float32Array.from(pixels.values)};
      const {loss, logits, gradients} = lossAndGradients(tf, model, tensors, pictures, [...labels.values]);
      expect(relativeError(logits, expectedLogits.values)).toBeLessThan(1e-5);
      expect(Math.abs(loss - expectedLoss) / expectedLoss).toBeLessThan(1e-5);
      const total = norm(Object.values<number>(expected));
      expect(Object.keys(expected)).toHaveLength(model.parameters.length);
      for (const {name} of model.parameters) {
        const inMemory = name
          .replace('encoder.layer.', 'layers.')
          .replace(/attention\.attention\.(.)\w+/, 'attention.$1_proj')
          .replace('attention.output.dense', 'attention.o_proj')
          .replace('intermediate.dense', 'mlp.fc1')
          .replace('output.dense', 'mlp.fc2');
        const error = Math.abs(norm(gradients[name] ?? []) - expected[inMemory]);
        expect(error, name).toBeLessThan(1e-4 * Math.max(expected[inMemory], 1e-3 * total));
      }
    });
  }

  test(`${backend}: a forward pass and its gradient leave no tensor behind`, async () => {
    await tf.setBackend(backend);
    const config = {
      model: 'vit',
      image_size: 8,
      patch_size: 4,
      hidden_size: 8,
      num_hidden_layers: 2,
      num_attention_heads: 2,
    };
    for (const hidden_act of ['gelu', 'gelu_new', 'relu']) {
      const model = bindModel({...config, hidden_act, intermediate_size: 16});
      const tensors = new Map(
        model.parameters.map(({name, shape}) => [
          name,
          {shape, values: new Float32Array(shape.reduce((product, extent) => product * extent, 1)).fill(0.1)},
        ]),
      );
      const pictures = {shape: [2, 3, 8, 8], values: new Float32Array(384).fill(0.5)};
      const before = tf.memory().numTensors;
      lossAndGradients(tf, model, tensors, pictures, [0, 1]);
      expect(tf.memory().numTensors).toBe(before);
    }
  });
}

test('an activation that is not known, a width that heads do not divide, and a model that is not there are refused', () => {
  expect(() => bindModel({model: 'vit', hidden_act: 'swish'})).toThrow(/hidden_act/);
  expect(() => bindModel({model: 'vit', hidden_size: 10, num_attention_heads: 4})).toThrow(
    /multiple of num_attention_heads/,
  );
  expect(() => bindModel({model: 'vitt'})).toThrow(/configuration is not valid/);
  expect(() => bindModel({model: 'vit', hidden: [3]})).toThrow(/hidden/);
});
