import * as tf from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {type OptimizerState, stepScalars} from '../../stages/lib/training/adamw.ts';
import {scheduleFactor} from '../../stages/lib/training/schedule.ts';
import {adamw} from '../../stages/tensor/fused/adamw.ts';
import {golden, lcg} from './golden.ts';

test('the generator of the golden vectors is the one they were made with', () => {
  const next = lcg(golden.lcg.seed);
  expect(golden.lcg.first5.map(() => next())).toEqual(golden.lcg.first5);
});

test.each([['on all'], ['through an all-ones vector']])(
  'five AdamW steps are torch.optim.AdamW’s, decay %s',
  async (how) => {
    await tf.setBackend('cpu');
    const {init, defaults, trace} = golden.adamw;
    expect(defaults).toMatchObject({betas: [0.9, 0.999], eps: 1e-8});
    let state: OptimizerState = {flat: tf.tensor1d(init), m: tf.zeros([3]), v: tf.zeros([3])};
    const decays = how === 'on all' ? undefined : tf.ones<tf.Rank.R1>([3]);
    trace.forEach(({lr, p}, t) => {
      const rate = defaults.lr * scheduleFactor({name: 'linear', warmup: 0}, t, trace.length);
      expect(rate).toBeCloseTo(lr, 15);
      const gradient = tf.tensor1d([0.1 * (t + 1), -0.2, 0.05 * (-1) ** t]);
      state = adamw(tf, state, {
        gradient,
        clip: null,
        scalars: stepScalars(tf, t + 1, rate, defaults.weight_decay),
        decays,
      });
      state.flat.dataSync().forEach((value, index) => {
        expect(Math.abs(value - (p[index] ?? Number.NaN))).toBeLessThan(3e-7);
      });
    });
  },
);

test('weight decay leaves alone what the vector of zeros and ones excludes', async () => {
  await tf.setBackend('cpu');
  const zero = tf.zeros<tf.Rank.R1>([2]);
  const state = {flat: tf.tensor1d([1, 1]), m: zero, v: zero};
  const {flat} = adamw(tf, state, {
    gradient: zero,
    clip: null,
    scalars: stepScalars(tf, 1, 0.5, 0.5),
    decays: tf.tensor1d([1, 0]),
  });
  expect([...flat.dataSync()]).toEqual([0.75, 1]);
});

test('a gradient is clipped to its limit and a small one is left alone', async () => {
  await tf.setBackend('cpu');
  const zero = tf.zeros<tf.Rank.R1>([2]);
  const clipped = (gradient: number[]) =>
    adamw(
      tf,
      {flat: zero, m: zero, v: zero},
      {gradient: tf.tensor1d(gradient), clip: 1, scalars: stepScalars(tf, 1, 1e-3, 0)},
    ).gradient.dataSync();
  const [first, second] = clipped([3, 4]);
  expect(first).toBeCloseTo(3 / (5 + 1e-6), 6);
  expect(second).toBeCloseTo(4 / (5 + 1e-6), 6);
  expect([...clipped([0.25, 0.5])]).toEqual([0.25, 0.5]);
});

test('schedules give the whole rate first and, when they decay, one step’s share last', () => {
  expect(scheduleFactor({name: 'linear', warmup: 0}, 0, 10)).toBe(1);
  expect(scheduleFactor({name: 'linear', warmup: 0}, 9, 10)).toBeCloseTo(0.1, 15);
  expect(scheduleFactor({name: 'linear', warmup: 4}, 0, 10)).toBe(0);
  expect(scheduleFactor({name: 'linear', warmup: 4}, 3, 10)).toBe(0.75);
  expect(scheduleFactor({name: 'linear', warmup: 4}, 4, 10)).toBe(1);
  expect(scheduleFactor({name: 'cosine', warmup: 0}, 5, 10)).toBeCloseTo(0.5, 15);
  expect(scheduleFactor({name: 'constant', warmup: 2}, 1, 10)).toBe(0.5);
  expect(scheduleFactor({name: 'constant', warmup: 2}, 9, 10)).toBe(1);
});
