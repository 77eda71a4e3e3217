import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {meanCrossEntropy} from '../../stages/lib/training/cross-entropy.ts';
import {optimizerOf} from '../../stages/lib/training/optimizer.ts';
import {withOptimizer} from '../../stages/lib/training/optimizer-settings.ts';
import {decayingWeights, layoutOf, pack, split} from '../../stages/lib/training/parameter-layout.ts';
import {trainingParameters} from '../../stages/lib/training/parameters.ts';
import {inSteps, scheduleFactor} from '../../stages/lib/training/schedule.ts';
import {capturedParts, capturedStep, stateOf} from '../../stages/lib/training/train-step.ts';
import {scalarOf, vectorOf} from '../../stages/tensor/capture/named.ts';
import type {Tensors} from '../../stages/tensor/capture/record.ts';
import type {Tf} from '../../stages/tensor/library.ts';
import {relativeError} from '../rig/gradients.ts';
import {backends} from '../rig/tensor-backends.ts';

// Ten steps of a network of 35 numbers, made by torch.optim, transformers' schedules and PLATON's own Adamax in float64: see make.py.

const numbers = z.array(z.number());
const file = z
  .object({
    pictures: z.array(numbers),
    labels: z.array(numbers),
    start: numbers,
    clip: z.number(),
    lr: z.number(),
    runs: z.array(
      z.object({optimizer: z.string(), schedule: z.string(), losses: numbers, rates: numbers, weights: numbers}),
    ),
    smoothed: z.array(z.object({smoothing: z.number(), loss: z.number(), gradient: numbers})),
  })
  .parse(JSON.parse(readFileSync(new URL('../fixtures/optimizers/steps.json', import.meta.url), 'utf8')));

/** As a pipeline declares what make.py names. */
const OPTIMIZERS: Readonly<Record<string, object>> = {
  adamw: {},
  'torch, set': {optimizer: {name: 'adamw', betas: [0.8, 0.95], eps: 1e-3}, weight_decay: 0.2},
  trainer: {optimizer: 'trainer'},
  'trainer, decaying': {optimizer: 'trainer', weight_decay: 0.2},
  adam: {optimizer: 'adam', weight_decay: 0.2},
  adamax: {optimizer: 'adamax'},
  'adamax, set': {optimizer: {name: 'adamax', betas: [0.8, 0.95], eps: 0.02}},
  sgd: {optimizer: 'sgd', weight_decay: 0.2},
  'sgd, momentum': {optimizer: {name: 'sgd', momentum: 0.9, dampening: 0.3}, weight_decay: 0.2, decay: 'weights'},
  'sgd, nesterov': {optimizer: {name: 'sgd', momentum: 0.9, nesterov: true}},
};
/** With epochs of two steps. */
const SCHEDULES: Readonly<Record<string, unknown>> = {
  linear: 'linear',
  'linear, warm': {name: 'linear', warmup: '3it'},
  'cosine, warm': {name: 'cosine', warmup: '1ep1it'},
  'constant, warm': {name: 'constant', warmup: 3},
  step: {name: 'step', milestones: ['2ep', '7it'], gamma: 0.5},
  'step, warm': {name: 'step', milestones: [4, 7], warmup: 3},
};
const PER_EPOCH = 2;
/** Of five pictures. */
const PARTS = [
  [0, 2],
  [2, 4],
  [4, 5],
] as const;

const model = bindModel({model: 'mlp', image_size: 2, hidden: [4], labels: 3});
const layout = layoutOf(model.parameters);
const parameters = z.strictObject(trainingParameters).transform(withOptimizer);

/** The fixture's vectors have tensors sorted by name; a flat vector has what can be pruned first. */
function toLayout(sorted: readonly number[]): Float32Array {
  let offset = 0;
  const tensors = model.parameters.map(({name, shape}) => {
    const size = shape.reduce((product, side) => product * side, 1);
    offset += size;
    return {name, shape, values: Float32Array.from(sorted.slice(offset - size, offset))};
  });
  return pack(layout, tensors);
}

const start = toLayout(file.start);

const batchOf = (tf: Tf, pictures: readonly number[], labels: readonly number[]): Tensors => ({
  pictures: tf.tensor4d(Float32Array.from(pictures), [labels.length, 1, 2, 2]),
  labels: tf.tensor1d([...labels], 'int32'),
});

/** The ten steps on a back end, whole or of three batches each. */
function tenSteps(tf: Tf, run: (typeof file.runs)[number], inParts: boolean) {
  const {
    optimizer: settings,
    weight_decay,
    decay,
    schedule,
  } = parameters.parse({
    data: {name: 'mnist'},
    length: '5ep',
    lr: file.lr,
    schedule: SCHEDULES[run.schedule],
    ...OPTIMIZERS[run.optimizer],
  });
  const bound = inSteps(schedule, {steps: file.pictures.length, stepsPerEpoch: PER_EPOCH});
  const optimizer = optimizerOf(settings, weight_decay);
  const program = {model, layout, clip: file.clip, optimizer};
  const whole = capturedStep(tf, program);
  const parts = capturedParts(tf, program);
  return tf.tidy(() => {
    const decays = decay === 'weights' ? {decays: tf.tensor1d(decayingWeights(layout))} : {};
    let state = stateOf(optimizer, {
      flat: tf.tensor1d(start),
      ...Object.fromEntries(optimizer.carries.map((name) => [name, tf.zeros([layout.size])])),
    });
    const losses: number[] = [];
    const rates: number[] = [];
    file.pictures.forEach((pictures, step) => {
      const labels = file.labels[step] ?? [];
      const lr = file.lr * scheduleFactor(bound, step, file.pictures.length);
      const shared = {...decays, ...optimizer.scalars(tf, step + 1, lr)};
      let sum: Tensors = {loss: tf.scalar(0), gradient: tf.zeros([layout.size])};
      for (const [from, to] of inParts ? PARTS : []) {
        const batch = batchOf(tf, pictures.slice(4 * from, 4 * to), labels.slice(from, to));
        sum = parts.add({flat: state.flat, ...sum, ...batch, share: tf.scalar((to - from) / labels.length)});
      }
      const next = inParts
        ? {loss: scalarOf(sum, 'loss'), ...parts.update({...state, ...shared, gradient: vectorOf(sum, 'gradient')})}
        : whole({...state, ...batchOf(tf, pictures, labels), ...shared});
      losses.push(scalarOf(next, 'loss').dataSync()[0] ?? Number.NaN);
      rates.push(lr);
      state = stateOf(optimizer, next);
    });
    return {losses, rates, weights: state.flat.dataSync()};
  });
}

for (const {name: backend, tf} of await backends()) {
  for (const inParts of [false, true]) {
    test(`${backend}: ten steps of every optimizer under every schedule are PyTorch's${inParts ? ', of three batches each too' : ''}`, async () => {
      await tf.setBackend(backend);
      const runs = file.runs.filter(({schedule}) => !inParts || schedule === 'linear');
      expect(runs).toHaveLength(Object.keys(OPTIMIZERS).length * (inParts ? 1 : Object.keys(SCHEDULES).length));
      for (const run of runs) {
        const {losses, rates, weights} = tenSteps(tf, run, inParts);
        const what = `${run.optimizer} under ${run.schedule}`;
        expect(relativeError(rates, run.rates), `${what}: rates`).toBeLessThan(1e-8);
        losses.forEach((loss, step) => {
          expect(Math.abs(loss / (run.losses[step] ?? 0) - 1), `${what}: loss of step ${step + 1}`).toBeLessThan(1e-5);
        });
        expect(relativeError(weights, toLayout(run.weights)), `${what}: weights`).toBeLessThan(1e-5);
      }
    });
  }

  test(`${backend}: of one class there is nothing to learn`, async () => {
    await tf.setBackend(backend);
    tf.tidy(() => {
      const {value, grad} = tf.valueAndGrad((logits) =>
        meanCrossEntropy(tf, logits.as2D(2, 1), tf.tensor1d([0, 0], 'int32'), 0.1),
      )(tf.tensor2d([[3], [-4]]));
      expect([...value.dataSync(), ...grad.dataSync()].map(Math.abs)).toEqual([0, 0, 0]);
    });
  });

  test(`${backend}: the smoothed loss and its gradient are those of torch's CrossEntropyLoss`, async () => {
    await tf.setBackend(backend);
    expect(file.smoothed.length).toBeGreaterThan(1);
    for (const {smoothing, loss, gradient} of file.smoothed) {
      tf.tidy(() => {
        const {pictures, labels} = batchOf(tf, file.pictures[0] ?? [], file.labels[0] ?? []);
        if (!pictures || !labels) throw new Error('no batch');
        const {value, grad} = tf.valueAndGrad((flat) =>
          meanCrossEntropy(
            tf,
            model.forward(tf, split(tf, layout, flat.as1D()), pictures.as4D(labels.size, 1, 2, 2)),
            labels.as1D(),
            smoothing,
          ),
        )(tf.tensor1d(start));
        expect(relativeError(value.dataSync(), [loss])).toBeLessThan(1e-6);
        expect(relativeError(grad.dataSync(), toLayout(gradient))).toBeLessThan(1e-5);
      });
    }
  });
}
