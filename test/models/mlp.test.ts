import {expect, test} from 'vitest';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {lossAndGradients, relativeError} from '../rig/gradients.ts';
import {backends} from '../rig/tensor-backends.ts';

const available = await backends();
const model = bindModel({model: 'mlp', image_size: 2, hidden: [3, 2], labels: 2});
const tensors = new Map([
  ['fc1.weight', {shape: [3, 4], values: Float32Array.of(1, 0, -1, 2, 0, 1, 1, 0, -1, -1, 0, 0)}],
  ['fc1.bias', {shape: [3], values: Float32Array.of(0.5, -1, 0)}],
  ['fc2.weight', {shape: [2, 3], values: Float32Array.of(1, 1, 1, 2, -1, 0)}],
  ['fc2.bias', {shape: [2], values: Float32Array.of(0, 1)}],
  ['classifier.weight', {shape: [2, 2], values: Float32Array.of(1, 0, 0, 1)}],
  ['classifier.bias', {shape: [2], values: Float32Array.of(0, 0.25)}],
]);

test('LeNet-300-100 has 266,610 parameters, of which its 265,200 hidden weights can be pruned', () => {
  const {parameters, config} = bindModel({model: 'mlp'});
  const count = (shapes: typeof parameters) =>
    shapes.reduce((sum, {shape}) => sum + shape.reduce((product, extent) => product * extent, 1), 0);
  expect(count(parameters)).toBe(784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10);
  expect(count(parameters.filter(({prunable}) => prunable))).toBe(784 * 300 + 300 * 100);
  expect(parameters.filter(({head}) => head).map(({name}) => name)).toEqual(['classifier.bias', 'classifier.weight']);
  expect(config).toEqual({model: 'mlp', labels: 10, image_size: 28, num_channels: 1, hidden: [300, 100]});
});

for (const {name: backend, tf} of available) {
  test(`${backend}: logits and gradients are those worked out by hand, and no tensor is left behind`, async () => {
    await tf.setBackend(backend);
    const before = tf.memory().numTensors;
    // picture (1, 2, 0, 1): fc1 = (3.5, 1, -3) → relu (3.5, 1, 0); fc2 = (4.5, 7); classifier = (4.5, 7.25)
    const pictures = {shape: [1, 1, 2, 2], values: Float32Array.of(1, 2, 0, 1)};
    const {logits, gradients} = lossAndGradients(tf, model, tensors, pictures, [0]);
    expect([...logits]).toEqual([4.5, 7.25]);
    const wrong = 1 / (1 + Math.exp(4.5 - 7.25)); // softmax of the second class
    expect(relativeError(gradients['classifier.bias'] ?? [], [-wrong, wrong])).toBeLessThan(1e-6);
    expect(
      relativeError(
        gradients['classifier.weight'] ?? [],
        [-4.5, -7, 4.5, 7].map((x) => x * wrong),
      ),
    ).toBeLessThan(1e-6);
    expect(relativeError(gradients['fc2.bias'] ?? [], [-wrong, wrong])).toBeLessThan(1e-6);
    // through fc2 the hidden gradient is (-1 + 2, -1 - 1, dead)
    expect(relativeError(gradients['fc1.bias'] ?? [], [wrong, -2 * wrong, 0])).toBeLessThan(1e-6);
    expect(tf.memory().numTensors).toBe(before);
  });
}

test('a network without hidden layers is a linear classifier', async () => {
  const [{tf} = {}] = available;
  if (!tf) throw new Error('the cpu backend is always there');
  await tf.setBackend('cpu');
  const linear = bindModel({model: 'mlp', image_size: 1, hidden: [], labels: 2});
  const weights = new Map([
    ['classifier.weight', {shape: [2, 1], values: Float32Array.of(2, -1)}],
    ['classifier.bias', {shape: [2], values: Float32Array.of(1, 0)}],
  ]);
  const {logits} = lossAndGradients(tf, linear, weights, {shape: [1, 1, 1, 1], values: Float32Array.of(3)}, [0]);
  expect([...logits]).toEqual([7, -3]);
});
