import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import type {Json} from '../../src/base/json.ts';
import evaluateStage from '../../stages/evaluate.ts';
import finetune from '../../stages/finetune.ts';
import interpolate, {interpolateParameters} from '../../stages/interpolate.ts';
import {locatedMnist, preprocessor, randomMlp, recordingServices} from '../training/services.ts';

const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
const a = randomMlp(1);
const b = randomMlp(2);
const point = (alpha: number): Json => ({alpha, data, train: 25});
const run = (alpha: number) =>
  interpolate.run({params: point(alpha), inputs: {a, b}, services: recordingServices().services});

test('the ends of a line are its networks, bit for bit, and between them is their mean', () => {
  const from = tf.tensor1d([0.1, -3.3, 1e-40, 7e37]);
  const to = tf.tensor1d([0.2, 5.5, -0, -7e37]);
  const at = (alpha: number) => interpolateParameters(tf, from, to, alpha).dataSync();
  expect(at(0)).toEqual(from.dataSync());
  expect(at(1)).toEqual(to.dataSync());
  expect(at(0.25)[0]).toBe(Math.fround(Math.fround(0.75 * Math.fround(0.1)) + Math.fround(0.25 * Math.fround(0.2))));
});

test('the ends of every line are exact, whatever the networks hold', () => {
  const networks = fc.tuple(
    fc.float32Array({minLength: 5, maxLength: 5}),
    fc.float32Array({minLength: 5, maxLength: 5}),
  );
  fc.assert(
    fc.property(networks, ([from, to]) => {
      const [a, b] = [tf.tensor1d(from), tf.tensor1d(to)];
      expect(interpolateParameters(tf, a, b, 0).dataSync()).toEqual(from);
      expect(interpolateParameters(tf, a, b, 1).dataSync()).toEqual(to);
    }),
    {numRuns: 30},
  );
});

test('points at the ends are the evaluations of the networks themselves', async () => {
  const evaluation = async (weights: object) =>
    (await evaluateStage.run({params: {data}, inputs: {weights}, services: recordingServices().services})).summary;
  for (const [alpha, weights] of [
    [0, a],
    [1, b],
  ] as const) {
    const points = (await run(alpha)).points;
    const [own] = [await evaluation(weights)].flat();
    expect(points).toEqual([
      expect.objectContaining({split: 'train', n: 25}),
      expect.objectContaining({split: 'test'}),
    ]);
    expect(own).toMatchObject([points].flat()[1] ?? {});
  }
});

test('many points are one walk, and equal what each gives alone', async () => {
  const alphas = [0, 0.3, 1];
  const before = tf.memory().numTensors;
  const many = interpolate.runMany?.({
    points: alphas.map(point),
    inputs: {a, b},
    services: recordingServices().services,
  });
  const found = [];
  for await (const {index, outputs} of many ?? []) found[index] = outputs;
  expect(tf.memory().numTensors).toBe(before);
  expect(found).toEqual(await Promise.all(alphas.map(run)));
});

test('networks of different shapes have no line between them', async () => {
  const inputs = {a, b: randomMlp(1, 2, [9])};
  await expect(interpolate.run({params: point(0.5), inputs, services: recordingServices().services})).rejects.toThrow(
    'a and b differ in their model',
  );
});

test('alpha stays in [0, 1]', () => {
  expect(interpolate.params.safeParse(point(1.5)).success).toBe(false);
  expect(interpolate.params.safeParse(point(-0.1)).success).toBe(false);
});

test('finetune hands on the configuration it was given and weights that do better', async () => {
  const params = {data, length: '3ep', lr: 1e-2, batch: 16};
  const outputs = await finetune.run({params, inputs: {weights: a}, services: recordingServices().services});
  expect(outputs.weights).toMatchObject({model: a.model, preprocessor});
  const evaluated = await evaluateStage.run({
    params: {data},
    inputs: {weights: outputs.weights},
    services: recordingServices().services,
  });
  expect(outputs.summary).toEqual(evaluated.summary);
  expect(outputs.summary).toEqual([expect.objectContaining({accuracy: 100})]);
});
