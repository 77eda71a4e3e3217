import {createHash} from 'node:crypto';
import {expect, test} from 'vitest';
import {initialise, initialiseHead} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {normalQuantile} from '../../stages/lib/random/normal.ts';

const small = {
  model: 'vit',
  image_size: 8,
  patch_size: 4,
  hidden_size: 8,
  num_attention_heads: 2,
  intermediate_size: 16,
};
const valuesOf = (tensors: ReturnType<typeof initialise>, name: string) => [
  ...(tensors.find((tensor) => tensor.name === name)?.values ?? []),
];

test("the normal quantile is that of Python's statistics.NormalDist in centre, flank and tail", () => {
  const expected: [number, number][] = [
    [1e-10, -6.361340902404056],
    [0.001, -3.090232306167813],
    [0.0750001, -1.4395307645017297],
    [0.3, -0.5244005127080407],
    [0.5, 0],
    [0.9, 1.2815515655446008],
    [0.999999, 4.753424308817089],
  ];
  for (const [probability, quantile] of expected) expect(normalQuantile(probability)).toBeCloseTo(quantile, 14);
});

test('a tensor more or less moves no other', () => {
  const one = initialise(bindModel({...small, num_hidden_layers: 1}), 3);
  const two = initialise(bindModel({...small, num_hidden_layers: 2, qkv_bias: false}), 3);
  const name = 'vit.encoder.layer.0.output.dense.weight';
  expect(valuesOf(two, name)).toEqual(valuesOf(one, name));
  expect(valuesOf(two, 'vit.encoder.layer.1.output.dense.weight')).not.toEqual(valuesOf(one, name));
});

test('random weights have the deviation asked for, biases start at zero, norms at one', () => {
  const model = bindModel({
    ...small,
    num_hidden_layers: 1,
    hidden_size: 128,
    intermediate_size: 512,
    initializer_range: 0.5,
  });
  const tensors = initialise(model, 11);
  const weights = valuesOf(tensors, 'vit.encoder.layer.0.intermediate.dense.weight');
  const mean = weights.reduce((sum, x) => sum + x, 0) / weights.length;
  const deviation = Math.sqrt(weights.reduce((sum, x) => sum + (x - mean) ** 2, 0) / weights.length);
  expect(Math.abs(mean)).toBeLessThan(4 * (0.5 / Math.sqrt(weights.length)));
  expect(Math.abs(deviation - 0.5)).toBeLessThan(4 * (0.5 / Math.sqrt(2 * weights.length)));
  expect(new Set(valuesOf(tensors, 'vit.encoder.layer.0.intermediate.dense.bias'))).toEqual(new Set([0]));
  expect(new Set(valuesOf(tensors, 'vit.layernorm.weight'))).toEqual(new Set([1]));
});

test('LeNet starts as in open_lth: Kaiming-normal weights and uniform biases within ±1/√inputs', () => {
  const tensors = initialise(bindModel({model: 'mlp'}), 0);
  const weights = valuesOf(tensors, 'fc1.weight');
  const deviation = Math.sqrt(weights.reduce((sum, x) => sum + x * x, 0) / weights.length);
  expect(Math.abs(deviation / Math.sqrt(2 / 784) - 1)).toBeLessThan(0.01);
  const biases = valuesOf(tensors, 'fc1.bias').map(Math.abs);
  expect(Math.max(...biases)).toBeLessThanOrEqual(1 / 28);
  expect(Math.max(...biases)).toBeGreaterThan(0.9 / 28);
});

test('seeds differ, and a fresh head is the same under any body and not the one of the whole', () => {
  const model = bindModel({...small, num_hidden_layers: 1});
  const name = 'classifier.weight';
  expect(valuesOf(initialise(model, 1), name)).not.toEqual(valuesOf(initialise(model, 2), name));
  const head = initialiseHead(model, 1);
  expect(head.map((tensor) => tensor.name)).toEqual(['classifier.bias', 'classifier.weight']);
  expect(initialiseHead(bindModel({...small, num_hidden_layers: 3}), 1)).toEqual(head);
  expect(valuesOf(head, name)).not.toEqual(valuesOf(initialise(model, 1), name));
});

test('random weights are the same bytes for ever: raise the version of pretrain-load when this changes', () => {
  const hash = createHash('sha256');
  for (const {values} of initialise(bindModel({...small, num_hidden_layers: 2}), 2 ** 40 + 5)) {
    hash.update(new Uint8Array(values.buffer));
  }
  // made by a Philox and statistics.NormalDist().inv_cdf in Python, too
  expect(hash.digest('hex')).toBe('7d312d0b5c21c071d4d6d0b79ced631b212f658117b9da1e16d067c976005da4');
});
