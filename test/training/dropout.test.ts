import type {Tensor} from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {withOptimizer} from '../../stages/lib/training/optimizer-settings.ts';
import {layoutOf, pack, split} from '../../stages/lib/training/parameter-layout.ts';
import {trainingParameters} from '../../stages/lib/training/parameters.ts';
import {bindTask} from '../../stages/lib/training/task.ts';
import {train} from '../../stages/lib/training/train.ts';
import {type Dropout, dropoutOf} from '../../stages/tensor/dropout.ts';
import {relativeError} from '../rig/gradients.ts';
import {backends, withBackend} from '../rig/tensor-backends.ts';
import {locatedMnist, preprocessor, recordingServices, SMALL_VIT} from './services.ts';

const vit = {...SMALL_VIT, num_attention_heads: 1, intermediate_size: 20};
const model = bindModel({...vit, hidden_dropout_prob: 0.25, attention_probs_dropout_prob: 0.125});
const layout = layoutOf(model.parameters);
const weights = {model: model.config, preprocessor, tensors: initialise(model, 1)};
const data = await locatedMnist({classes: [0, 1], limit: {train: 24, test: 8}});
const parameters = z.strictObject(trainingParameters).transform(withOptimizer);

async function trained(settings: object) {
  const params = parameters.parse({data, length: '4it', lr: 1e-3, batch: 8, ...settings});
  const {services} = recordingServices();
  return train(await bindTask(weights, params, services), params, services);
}

/** Logits of two pictures that are all ramps, with some dropout. */
function logitsWith(tf: Awaited<ReturnType<typeof withBackend>>, dropout?: Dropout): Float32Array {
  return tf.tidy(() => {
    const flat = tf.tensor1d(pack(layout, weights.tensors));
    const pictures = tf.linspace(-1, 1, 2 * 28 * 28).as4D(2, 1, 28, 28);
    return model.forward(tf, split(tf, layout, flat), pictures, dropout).dataSync<'float32'>();
  });
}

test('units that stay are scaled so that the mean stays, and the gradient goes through them alone', async () => {
  const tf = await withBackend('cpu');
  tf.tidy(() => {
    const key = tf.tensor1d([-5, 9], 'int32');
    const {value, grad} = tf.valueAndGrad((x: Tensor) => dropoutOf(tf, key)(x, 0.25).sum())(tf.ones([100, 400]));
    const units = grad.dataSync<'float32'>();
    expect([...new Set(units)].sort()).toEqual([0, Math.fround(4 / 3)]);
    // 40,000 draws: a deviation of the share is 0.0022
    expect(Math.abs(units.filter((unit) => unit > 0).length / 40_000 - 0.75)).toBeLessThan(0.01);
    expect(value.dataSync()[0]).toBeCloseTo(
      units.reduce((sum, unit) => sum + unit, 0),
      -1,
    );
  });
});

test('a use draws by key and by its place, the same on every back end', async () => {
  const drawn = new Map<string, number[][]>();
  for (const {name, tf} of await backends()) {
    await tf.setBackend(name);
    tf.tidy(() => {
      const units = (key: number[], uses: number) => {
        const dropout = dropoutOf(tf, tf.tensor1d(key, 'int32'));
        return Array.from({length: uses}, () => [...dropout(tf.ones([3, 5, 7]), 0.4).dataSync()]);
      };
      drawn.set(name, [...units([1, 2], 2), ...units([-2147483648, 2147483647], 2), ...units([2, 1], 1)]);
    });
  }
  const [first] = drawn.values();
  expect(new Set(first?.map((units) => units.join())).size).toBe(first?.length);
  for (const [name, units] of drawn) expect(units, name).toEqual(first);
});

test('places are those of transformers: embeddings, attention weights, and what a block adds, the last for one row', async () => {
  const tf = await withBackend('cpu');
  const seen: unknown[] = [];
  const watching: Dropout = (x, probability) => {
    seen.push([probability, x.shape]);
    return x;
  };
  const logits = logitsWith(tf, watching);
  expect(seen).toEqual([
    [0.25, [10, 16]],
    [0.125, [2, 1, 5, 5]],
    [0.25, [10, 16]],
    [0.25, [10, 16]],
    [0.125, [2, 1, 1, 5]],
    [0.25, [2, 16]],
    [0.25, [2, 16]],
  ]);
  for (const {name, tf: backend} of await backends()) {
    await backend.setBackend(name);
    expect(relativeError(logitsWith(backend, watching), logits), name).toBeLessThan(1e-5);
    expect(relativeError(logitsWith(backend), logits), name).toBeLessThan(1e-5);
  }
});

test('where all that enters the stream drops out, biases too, the class is that of the last norm alone', async () => {
  const tf = await withBackend('cpu');
  const shifted = weights.tensors.map((tensor) => ({
    ...tensor,
    values: tensor.values.map((value, index) => value + 0.1 * Math.sin(index)),
  }));
  tf.tidy(() => {
    const named = split(tf, layout, tf.tensor1d(pack(layout, shifted)));
    const nothing: Dropout = (x, probability) => (probability === 0.25 ? tf.zerosLike(x) : x);
    const logits = model.forward(tf, named, tf.ones([2, 1, 28, 28]), nothing).dataSync();
    const of = (name: string) => shifted.find((tensor) => tensor.name === name)?.values ?? new Float32Array();
    const [shift, head, bias] = ['vit.layernorm.bias', 'classifier.weight', 'classifier.bias'].map(of);
    const expected = [0, 1].map((label) =>
      Array.from(shift ?? []).reduce(
        (sum, value, index) => sum + value * (head?.[16 * label + index] ?? 0),
        bias?.[label] ?? 0,
      ),
    );
    expect(relativeError(logits, [...expected, ...expected])).toBeLessThan(1e-5);
  });
});

test('training drops units by a seed of their own and evaluation drops none', async () => {
  await withBackend('cpu');
  const base = await trained({seed: {order: 1, dropout: 1}});
  expect((await trained({seed: {order: 1, dropout: 1}})).flat).toEqual(base.flat);
  expect((await trained({seed: {order: 1, dropout: 2}})).flat).not.toEqual(base.flat);
  // nothing but the losses moves at a rate of next to nothing; those of one batch differ from step to step by what dropped out
  const still = await trained({lr: 1e-12, batch: 24, seed: {dropout: 1}, evaluate_every: 1, schedule: 'constant'});
  expect(new Set(still.metrics.map(({loss}) => loss)).size).toBe(4);
  expect(new Set(still.evals.map(({loss}) => Number(loss).toFixed(6))).size).toBe(1);
});
