import * as tf from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Weights} from '../../src/artifact/kinds.ts';
import {fixedMask} from '../../stages/lib/pruning/masks.ts';
import type {TrainingHook} from '../../stages/lib/training/hook.ts';
import {withOptimizer} from '../../stages/lib/training/optimizer-settings.ts';
import {pack, unpack} from '../../stages/lib/training/parameter-layout.ts';
import {partParameters, trainingParameters} from '../../stages/lib/training/parameters.ts';
import {bindTask} from '../../stages/lib/training/task.ts';
import {train} from '../../stages/lib/training/train.ts';
import {locatedMnist, randomMlp, recordingServices} from './services.ts';

const schema = z.strictObject({...trainingParameters, ...partParameters}).transform(withOptimizer);
const data = await locatedMnist({classes: [0, 1], limit: {train: 50, test: 20}});

async function trained(settings: object, weights: Weights = randomMlp(1), services = recordingServices().services) {
  const params = schema.parse({data, length: '2ep', lr: 1e-3, batch: 16, ...settings});
  const task = await bindTask(weights, params, services);
  return {layout: task.layout, ...(await train(task, params, services))};
}

test('a thousand steps leave as many tensors as they found, and learn', async () => {
  const {services, progress} = recordingServices();
  const before = tf.memory().numTensors;
  const counts = new Set<number>();
  const watching = {
    ...services,
    progress: (report: (typeof progress)[number]) => {
      progress.push(report);
      counts.add(tf.memory().numTensors);
    },
  };
  const {metrics, final} = await trained({length: '1000it'}, randomMlp(1), watching);
  expect(counts.size).toBe(1);
  expect(tf.memory().numTensors).toBe(before);
  expect(progress.at(-1)).toMatchObject({step: 1000, steps: 1000, epoch: 250});
  expect(metrics).toHaveLength(1000);
  expect(Number(metrics.at(-1)?.loss_ema)).toBeLessThan(0.01);
  expect(final).toEqual([expect.objectContaining({split: 'test', n: 20})]);
});

test('equal runs end in equal bytes', async () => {
  const settings = {seed: 3, augment: [{shift: 2}]};
  const [first, second] = [await trained(settings), await trained(settings)];
  expect(second.flat).toEqual(first.flat);
  expect(second.metrics).toEqual(first.metrics);
});

test('order and augmentation are noise of their own', async () => {
  const augment = [{shift: 2}];
  const base = await trained({seed: {order: 1, augment: 1}, augment});
  const otherOrder = await trained({seed: {order: 2, augment: 1}, augment});
  const otherNoise = await trained({seed: {order: 1, augment: 2}, augment});
  expect(otherOrder.flat).not.toEqual(base.flat);
  expect(otherNoise.flat).not.toEqual(base.flat);
  const plain = await trained({seed: {order: 1, augment: 1}});
  expect((await trained({seed: {order: 1, augment: 2}})).flat).toEqual(plain.flat);
  expect((await trained({seed: {order: 1, augment: 1, dropout: 9}})).flat).toEqual(plain.flat);
});

test('an epoch has its last partial batch, and metrics say where they are', async () => {
  const {metrics} = await trained({length: '1ep2it', schedule: 'constant'});
  expect(metrics.map(({step, epoch, lr}) => [step, epoch, lr])).toEqual(
    [1, 2, 3, 4, 5, 6].map((step) => [step, step / 4, 1e-3]),
  );
  expect(metrics[0]?.loss_ema).toBeCloseTo(Number(metrics[0]?.loss), 12);
});

test('evaluations come every so many steps and at the end', async () => {
  const {evals} = await trained({length: '5it', evaluate_every: 2});
  expect(evals.map(({step, split}) => [step, split])).toEqual([
    [2, 'test'],
    [4, 'test'],
    [5, 'test'],
  ]);
});

test('a loss that is not finite stops training and says where', async () => {
  const weights = randomMlp(1);
  const broken = {
    ...weights,
    tensors: weights.tensors.map((tensor) => ({...tensor, values: tensor.values.map((value) => value * 1e30)})),
  };
  const before = tf.memory().numTensors;
  await expect(trained({clip: null}, broken)).rejects.toThrow(/^The loss became (infinite|not a number) at step 1\.$/);
  expect(tf.memory().numTensors).toBe(before);
});

test('an aborted signal ends training with its reason, and messages arrive meanwhile', async () => {
  const controller = new AbortController();
  const {services, progress} = recordingServices(controller.signal);
  setTimeout(() => controller.abort(new Error('stopped by hand')), 0);
  const before = tf.memory().numTensors;
  await expect(trained({length: '100000it'}, randomMlp(1), services)).rejects.toThrow('stopped by hand');
  expect(progress.length).toBeLessThan(100_000);
  expect(tf.memory().numTensors).toBe(before);
});

test('what cannot be trained is refused before the first step', async () => {
  await expect(trained({}, randomMlp(1, 10))).rejects.toThrow(
    'The network has 10 outputs, and the data set mnist has 2 classes here.',
  );
  await expect(trained({schedule: {name: 'linear', warmup: 8}})).rejects.toThrow(
    'A warm-up of 8 steps leaves none of 8.',
  );
  await expect(trained({augment: [{crop: 29}]})).rejects.toThrow(
    'A crop of 29 pixels is larger than the pictures (28 × 28).',
  );
});

test('a warm-up below 1 is a fraction of all steps, rounded up, and one of all of them is refused', async () => {
  const rates = async (warmup: number | string) => {
    const {metrics} = await trained({length: '8it', schedule: {name: 'linear', warmup}});
    return metrics.map(({lr}) => Number(lr) / 1e-3);
  };
  // 0.3 · 8 = 2.4: get_linear_schedule_with_warmup(warmup 3, 8 steps)
  const expected = [0, 1 / 3, 2 / 3, 1, 4 / 5, 3 / 5, 2 / 5, 1 / 5];
  for (const [step, rate] of (await rates(0.3)).entries()) expect(rate).toBeCloseTo(expected[step] ?? Number.NaN, 12);
  expect(await rates('3it')).toEqual(await rates(0.3));
  await expect(rates(0.9)).rejects.toThrow('A warm-up of 8 steps leaves none of 8.');
});

test('a fixed mask acts at each of its three places by itself', () => {
  tf.tidy(() => {
    const hook = fixedMask(tf, tf.tensor1d([1, 0, 1], 'bool'));
    const inputs = hook.inputs?.(1) ?? {};
    const values = tf.tensor1d([3, -4, 5]);
    for (const masked of [
      hook.start?.(values),
      hook.afterGradients?.(values, inputs),
      hook.afterUpdate?.(values, values, inputs).flat,
    ]) {
      expect(masked?.dataSync()).toEqual(Float32Array.of(3, 0, 5));
    }
  });
});

test('under a fixed mask, what is removed is 0 from the first step to the last', async () => {
  const {services} = recordingServices();
  const params = schema.parse({data, length: '20it', lr: 1e-2, batch: 16});
  const task = await bindTask(randomMlp(1), params, services);
  const bits = Uint8Array.from({length: task.layout.size}, (_, index) =>
    index < task.layout.prunable && index % 3 === 0 ? 0 : 1,
  );
  const kept = tf.tensor1d(bits, 'bool');
  const hook = fixedMask(tf, kept);
  const regrown: number[] = [];
  const watched: TrainingHook = {
    ...hook,
    afterUpdate: (updated, gradient, inputs) => ({
      ...(hook.afterUpdate?.(updated, gradient, inputs) ?? {flat: updated}),
      gradient,
    }),
    afterStep: (step, given) => {
      for (const name of ['flat', 'gradient']) {
        given[name]?.dataSync().forEach((value, index) => {
          if (bits[index] === 0 && !Object.is(value, 0)) regrown.push(step);
        });
      }
      return given.flat;
    },
  };
  const {flat} = await train(task, params, services, watched);
  kept.dispose();
  expect(regrown).toEqual([]);
  expect(flat.every((value, index) => bits[index] === 1 || Object.is(value, 0))).toBe(true);
  expect(flat).not.toEqual(task.start);
});

test('parameters parse to themselves, and short forms to their long ones', () => {
  const once = schema.parse({data, length: '02ep', lr: 0.001, seed: 5, schedule: 'cosine'});
  expect(schema.parse(once)).toEqual(once);
  expect(once).toMatchObject({
    length: '2ep',
    seed: {order: 5, augment: 5, dropout: 5},
    schedule: {name: 'cosine', warmup: 0},
    batch: 64,
    weight_decay: 0.01,
    clip: 1,
  });
  for (const length of ['', 'ep', '5', '1it2ep', '-1ep', '1.5ep']) {
    expect(schema.safeParse({data, length, lr: 1e-3}).success, length).toBe(false);
  }
});

test('two parts of a training without momentum are the whole, bit for bit, and count on', async () => {
  const settings = {
    length: '2ep1it',
    optimizer: 'sgd',
    lr: 0.1,
    seed: 4,
    augment: [{shift: 2}],
    accumulate: 2,
    batch: 8,
  };
  const whole = await trained({...settings, evaluate_every: 2});
  for (const cut of ['1it', '1ep', '1ep2it', '2ep1it']) {
    const before = await trained({...settings, until: cut});
    const tensors = unpack(whole.layout, before.flat);
    const after = await trained({...settings, evaluate_every: 2, from: cut}, {...randomMlp(1), tensors});
    expect(after.flat, cut).toEqual(whole.flat);
    const bare = ({loss_ema, ...row}: (typeof whole.metrics)[number]) => row;
    expect([...before.metrics, ...after.metrics].map(bare)).toEqual(whole.metrics.map(bare));
    const last = Number(before.metrics.at(-1)?.step);
    expect(after.evals).toEqual(whole.evals.filter(({step}) => Number(step) > last || step === 9));
  }
  await expect(trained({length: '1ep', from: '9it'})).rejects.toThrow('no part from step 9 to step 4');
  await expect(trained({length: '1ep', from: '3it', until: '2it'})).rejects.toThrow('no part from step 3 to step 2');
  await expect(trained({length: '1ep', until: '2ep'})).rejects.toThrow('no part from step 0 to step 8');
});

test('an optimizer that begins within a training corrects its moments for its own start', async () => {
  const part = {from: '3it', until: '4it', length: '8it', weight_decay: 0, clip: null, schedule: 'constant', lr: 1e-3};
  const {flat, layout} = await trained(part);
  const before = pack(layout, randomMlp(1).tensors);
  const moves = flat.map((value, index) => Math.abs(value - (before[index] ?? 0)));
  expect(Math.max(...moves)).toBeCloseTo(1e-3, 5); // Adam's first step is lr, whatever the gradient
});

test('steps of several batches are those of one large batch, the last smaller group too', async () => {
  const settings = {length: '2ep', augment: [{shift: 2}], lr: 0.01};
  const large = await trained({...settings, batch: 16});
  const small = await trained({...settings, batch: 8, accumulate: 2});
  expect(small.metrics).toHaveLength(large.metrics.length);
  small.metrics.forEach(({loss}, index) => {
    expect(Number(loss)).toBeCloseTo(Number(large.metrics[index]?.loss), 5);
  });
  const largest = Math.max(...large.flat.map(Math.abs));
  small.flat.forEach((value, index) => {
    expect(Math.abs(value - (large.flat[index] ?? 0)) / largest).toBeLessThan(1e-4);
  });
});

test('a name and the optimizer that it stands for are one set of parameters, and what does not fit is refused', () => {
  const parse = (settings: object) => schema.parse({data, length: '1ep', lr: 1e-3, ...settings});
  expect(parse({optimizer: 'torch'})).toEqual(parse({}));
  expect(parse({optimizer: {name: 'adamw'}, weight_decay: 0.01, decay: 'all'})).toEqual(parse({}));
  expect(parse({optimizer: 'trainer'})).toEqual(parse({weight_decay: 0, decay: 'weights'}));
  expect(parse({optimizer: 'adamax'})).toMatchObject({optimizer: {eps: 1e-6}, weight_decay: 0.01, decay: 'weights'});
  expect(parse({optimizer: 'sgd'})).toMatchObject({optimizer: {momentum: 0}, weight_decay: 0, decay: 'all'});
  for (const optimizer of [
    {name: 'sgd', nesterov: true},
    {name: 'sgd', momentum: 0.9, nesterov: true, dampening: 0.1},
    {name: 'sgd', dampening: 0.1},
    {name: 'sgd', betas: [0.9, 0.99]},
    {name: 'adam', momentum: 0.9},
    {name: 'adam', betas: [0.9, 1]},
    'lion',
  ]) {
    expect(() => parse({optimizer}), JSON.stringify(optimizer)).toThrow();
  }
  expect(parse({schedule: {name: 'step', milestones: [3], warmup: '02ep'}}).schedule).toEqual({
    name: 'step',
    milestones: ['3it'],
    gamma: 0.1,
    warmup: '2ep',
  });
});

test('a training of no steps hands the weights on as they are, and says how good they are', async () => {
  const weights = randomMlp(1);
  const {flat, metrics, final} = await trained({length: '0it'}, weights);
  expect(metrics).toEqual([]);
  expect(final.map(({split}) => split)).toEqual(['test']);
  const given = weights.tensors.flatMap(({values}) => [...values]).sort();
  expect([...flat].sort()).toEqual(given);
});
