import * as tf from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Weights} from '../../src/artifact/kinds.ts';
import evaluateStage from '../../stages/evaluate.ts';
import finetune from '../../stages/finetune.ts';
import interpolate from '../../stages/interpolate.ts';
import layerwise from '../../stages/layerwise.ts';
import {dataSetSchema} from '../../stages/lib/data/data-set-value.ts';
import {subset} from '../../stages/lib/data/load-data-set.ts';
import type {Pictures} from '../../stages/lib/data/pictures.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {batchBuffer, fillBatch} from '../../stages/lib/pictures/batch.ts';
import {split, unpack} from '../../stages/lib/training/parameter-layout.ts';
import {reEstimate, statisticsFunction} from '../../stages/lib/training/re-estimate.ts';
import {bindTask, type Task} from '../../stages/lib/training/task.ts';
import {locatedMnist, preprocessor, randomMlp, recordingServices} from '../training/services.ts';

const data = await locatedMnist({classes: [0, 1], limit: {train: 300, test: 20}});
const rows = z.array(z.looseObject({split: z.string(), loss: z.number()}));

/** A small random residual network under batch normalisation. */
function randomResnet(seed: number): Weights {
  const config = {model: 'resnet', norm: 'batch', depth: 8, width: 2, labels: 2, image_size: 28, num_channels: 1};
  const model = bindModel(config);
  return {model: model.config, preprocessor, tensors: initialise(model, seed)};
}

const [a, b] = [randomResnet(1), randomResnet(2)];
const bind = (weights: Weights): Promise<Task> =>
  bindTask(weights, {data: dataSetSchema.parse(data), precision: 'fp32'}, recordingServices().services);
const walk = async (alpha: number, more: object = {}) => {
  const params = JSON.parse(JSON.stringify({alpha, data, train: 100, ...more}));
  const {points} = await interpolate.run({params, inputs: {a, b}, services: recordingServices().services});
  return rows.parse(points);
};

/** What training sees of pictures as one batch: their loss, and the statistics by name. */
function seenInTraining({model, layout, preprocessing, start}: Task, pictures: Pictures) {
  const buffer = batchBuffer(preprocessing, pictures.n);
  const all = Array.from({length: pictures.n}, (_, index) => index);
  fillBatch(buffer, pictures, all, preprocessing);
  const statistics = new Map<string, Float32Array>();
  let loss = Number.NaN;
  tf.tidy(() => {
    const pixels = tf.tensor4d(buffer.pixels, [pictures.n, 1, 28, 28]);
    const pass = model.trainingPass?.(tf, split(tf, layout, tf.tensor1d(start)), pixels);
    if (!pass) throw new Error('the network has no running statistics');
    for (const [name, tensor] of Object.entries(pass.statistics))
      statistics.set(name, tensor.dataSync<'float32'>().slice());
    const target = tf.oneHot(tf.tensor1d(buffer.labels, 'int32'), 2);
    const mean = tf.neg(tf.mean(tf.sum(tf.mul(target, tf.logSoftmax(pass.logits)), 1)));
    loss = mean.dataSync<'float32'>()[0] ?? Number.NaN;
  });
  return {loss, statistics};
}

test('training moves running statistics, hands them on, and leaves as many tensors as it found', async () => {
  const before = tf.memory().numTensors;
  const params = {data, length: '4it', lr: 1e-3, batch: 16};
  const {weights, summary} = await finetune.run({params, inputs: {weights: a}, services: recordingServices().services});
  expect(tf.memory().numTensors).toBe(before);
  const {tensors} = z
    .object({tensors: z.array(z.object({name: z.string(), values: z.instanceof(Float32Array)}))})
    .parse(weights);
  expect(tensors.map(({name}) => name)).toEqual(a.tensors.map(({name}) => name));
  const moved = tensors.find(({name}) => name === 'blocks.0.bn2.running_mean')?.values ?? [];
  expect(moved).toHaveLength(2);
  for (const value of moved) expect(Math.abs(value)).toBeGreaterThan(0);
  expect(summary).toEqual([expect.objectContaining({kept: 1, kept_of_network: 1})]);
  const again = await evaluateStage.run({params: {data}, inputs: {weights}, services: recordingServices().services});
  expect(again.summary).toEqual(summary);
});

test('what becomes of running statistics on a line must be said, and cannot be where there are none', async () => {
  await expect(walk(0.5)).rejects.toThrow('running statistics');
  const mlps = {a: randomMlp(1), b: randomMlp(2)};
  const params = {alpha: 0.5, data, statistics: {pictures: 10}};
  await expect(interpolate.run({params, inputs: mlps, services: recordingServices().services})).rejects.toThrow(
    'no running statistics',
  );
});

test('the ends of a line keep their own statistics', async () => {
  for (const [alpha, weights] of [
    [0, a],
    [1, b],
  ] as const) {
    const {summary} = await evaluateStage.run({
      params: {data},
      inputs: {weights},
      services: recordingServices().services,
    });
    const [own] = rows.parse(summary);
    const test = (await walk(alpha, {statistics: {pictures: 50}})).find((row) => row.split === 'test');
    expect(own).toMatchObject({...test});
  }
});

test('estimated from the pictures that are evaluated, statistics give what training sees of them', async () => {
  const task = await bind(a);
  const {model, preprocessor: described} = a;
  const same = {a, b: {model, preprocessor: described, tensors: a.tensors}};
  const params = JSON.parse(JSON.stringify({alpha: 0.5, data, train: 100, statistics: {pictures: 100}}));
  const before = tf.memory().numTensors;
  const {points} = await interpolate.run({params, inputs: same, services: recordingServices().services});
  expect(tf.memory().numTensors).toBe(before);
  const found = rows.parse(points).find((row) => row.split === 'train')?.loss ?? Number.NaN;
  const {loss} = seenInTraining(task, subset(task.data.train, 100, 0));
  // the variance as an estimate is larger by 1 / (n - 1), with n the pixels of 100 pictures
  expect(Math.abs(found / loss - 1)).toBeLessThan(1e-3);
  const mixed = await walk(0.5, {statistics: 'interpolated'});
  const estimated = await walk(0.5, {statistics: {pictures: 100}});
  expect(mixed).not.toEqual(estimated);
});

test('batches weigh by their size in an estimate, and the statistics of before do not matter', async () => {
  const task = await bind(a);
  const {layout, model, data: set, start} = task;
  const {services} = recordingServices();
  const wild = start.map((value, index) => (index < layout.trainable ? value : 1e3));
  const flat = tf.tensor1d(wild);
  const found = await reEstimate(task, statisticsFunction(tf, model, layout), flat, set.train, services);
  const tensors = new Map(unpack(layout, found.dataSync<'float32'>()).map(({name, values}) => [name, values]));
  tf.dispose([flat, found]);
  const part = (from: number, to: number): Pictures => ({
    ...set.train,
    n: to - from,
    values: set.train.values.subarray(from * 784, to * 784),
    labels: set.train.labels.subarray(from, to),
  });
  const [first, second] = [seenInTraining(task, part(0, 250)), seenInTraining(task, part(250, 300))];
  for (const [name, values] of first.statistics)
    values.forEach((value, index) => {
      const expected = (250 * value + 50 * (second.statistics.get(name)?.[index] ?? Number.NaN)) / 300;
      expect(Math.abs((tensors.get(name)?.[index] ?? Number.NaN) - expected), name).toBeLessThan(1e-5);
    });
});

test('layers are moved without running statistics, which are estimated anew: with all moved it is the point of the line', async () => {
  const run = async (params: object) => {
    const given = JSON.parse(JSON.stringify({data, by: 'block', ...params}));
    const {summary} = await layerwise.run({params: given, inputs: {a, b}, services: recordingServices().services});
    return z.array(z.looseObject({layer: z.string(), rest: z.string(), loss: z.number()})).parse(summary);
  };
  await expect(run({})).rejects.toThrow('The networks have running statistics (batch normalisation)');
  const statistics = {pictures: 50};
  const before = tf.memory().numTensors;
  const [all, ...moved] = await run({statistics});
  expect(tf.memory().numTensors).toBe(before);
  expect(moved.flatMap(({layer, rest}) => (rest === 'a' ? [layer] : []))).toEqual([
    ...['conv', 'bn', 'blocks.0', 'blocks.1', 'blocks.2', 'fc'],
  ]);
  const points = await walk(0.5, {statistics});
  expect(all?.loss).toBe(points.find(({split: name}) => name === 'test')?.loss);
});
