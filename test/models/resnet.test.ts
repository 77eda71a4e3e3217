import {expect, test} from 'vitest';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {type OptimizerState, stepScalars} from '../../stages/lib/training/adamw.ts';
import {layoutOf, pack, split, unpack} from '../../stages/lib/training/parameter-layout.ts';
import {stateIn, trainStep} from '../../stages/lib/training/train-step.ts';
import {captured} from '../../stages/tensor/capture/captured.ts';
import {scalarOf} from '../../stages/tensor/capture/named.ts';
import {lossAndGradients, norm, relativeError} from '../rig/gradients.ts';
import {backends} from '../rig/tensor-backends.ts';
import {cases} from './resnet-fixture.ts';

const available = await backends();
const sizes = (config: Parameters<typeof bindModel>[0], only: (name: string) => boolean = () => true): number =>
  bindModel(config)
    .parameters.filter(({buffer, name}) => !buffer && only(name))
    .reduce((sum, {shape}) => sum + shape.reduce((product, extent) => product * extent, 1), 0);

/** Error as the norm of the difference relative to the norm of what is expected. */
const distance = (found: ArrayLike<number>, expected: ArrayLike<number>): number =>
  norm(Array.from(expected, (value, index) => value - (found[index] ?? Number.NaN))) / norm(expected);

test('ResNet-20 has as many parameters as open_lth counts, and its convolutions and classifier can be pruned', () => {
  const config = {model: 'resnet', norm: 'batch'};
  expect(sizes(config)).toBe(272_474);
  const {parameters} = bindModel(config);
  const prunable = parameters.filter((parameter) => parameter.prunable).map(({name}) => name);
  expect(prunable).toHaveLength(22);
  expect(prunable).toContain('fc.weight');
  expect(sizes(config, (name) => prunable.includes(name))).toBe(270_896);
});

for (const {config, start, pictures, labels, evaluated, trained, gradients, losses, buffers, after} of cases) {
  const model = bindModel(config);
  const layout = layoutOf(model.parameters);

  test(`${config.norm}: parameters have PyTorch's names and shapes`, () => {
    const found = Object.fromEntries(model.parameters.map(({name, shape}) => [name, shape]));
    expect(found).toEqual(Object.fromEntries(Object.entries(start).map(([name, {shape}]) => [name, shape])));
  });

  for (const {name: backend, tf} of available) {
    test(`${backend}, ${config.norm}: logits and gradients are PyTorch's, and no tensor is left behind`, async () => {
      await tf.setBackend(backend);
      const tensors = new Map(Object.entries(start));
      const before = tf.memory().numTensors;
      const inEvaluation = lossAndGradients(tf, model, tensors, pictures, labels);
      expect(distance(inEvaluation.logits, evaluated.values)).toBeLessThan(1e-5);
      const {trainingPass} = model;
      const inTraining = trainingPass
        ? {
            ...model,
            parameters: model.parameters.filter(({buffer}) => !buffer),
            forward: (...given: Parameters<typeof trainingPass>) => trainingPass(...given).logits,
          }
        : model;
      const step = lossAndGradients(tf, inTraining, tensors, pictures, labels);
      expect(distance(step.logits, trained.values)).toBeLessThan(1e-5);
      for (const [name, {values}] of Object.entries(gradients))
        expect(distance(step.gradients[name] ?? [], values), name).toBeLessThan(1e-4);
      expect(tf.memory().numTensors).toBe(before);
    });

    test(`${backend}, ${config.norm}: steps of AdamW, and running statistics with them, are PyTorch's`, async () => {
      await tf.setBackend(backend);
      const named = Object.entries(start).map(([name, tensor]) => ({name, ...tensor}));
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const batch = {
          pictures: tf.tensor4d(pictures.values, [6, 3, pictures.shape[2] ?? 0, pictures.shape[3] ?? 0]),
          labels: tf.tensor1d(labels, 'int32'),
        };
        let state: OptimizerState = {
          flat: tf.tensor1d(pack(layout, named)),
          m: tf.zeros([layout.size]),
          v: tf.zeros([layout.size]),
        };
        const stepOf = captured(tf, 'a fixture', (inputs) => trainStep(tf, {model, layout, clip: null}, inputs));
        losses.forEach((loss, step) => {
          const result = stepOf({...state, ...batch, ...stepScalars(tf, step + 1, 1e-2, 0.01)});
          const [found = Number.NaN] = scalarOf(result, 'loss').dataSync();
          expect(Math.abs(found / loss - 1), `step ${step + 1}`).toBeLessThan(1e-5);
          state = stateIn(result);
        });
        const ended = new Map(unpack(layout, state.flat.dataSync<'float32'>()).map(({name, values}) => [name, values]));
        for (const [name, {values}] of Object.entries(buffers))
          expect(relativeError(ended.get(name) ?? [], values), name).toBeLessThan(1e-5);
        const logits = model.forward(tf, split(tf, layout, state.flat), batch.pictures).dataSync();
        expect(relativeError(logits, after.values)).toBeLessThan(1e-4);
      });
      expect(tf.memory().numTensors).toBe(before);
    });
  }
}

test('a residual network starts as open_lth does: Kaiming-normal weights, gains uniform, statistics of no data', () => {
  const tensors = new Map(
    initialise(bindModel({model: 'resnet', norm: 'batch'}), 3).map(({name, values}) => [name, [...values]]),
  );
  const weights = tensors.get('blocks.8.conv2.weight') ?? [];
  const deviation = Math.sqrt(weights.reduce((sum, x) => sum + x * x, 0) / weights.length);
  expect(Math.abs(deviation / Math.sqrt(2 / (64 * 9)) - 1)).toBeLessThan(0.02);
  const gains = tensors.get('blocks.8.bn2.weight') ?? [];
  expect(Math.min(...gains)).toBeGreaterThan(0);
  expect(Math.min(...gains)).toBeLessThan(0.2);
  expect(Math.max(...gains)).toBeLessThanOrEqual(1);
  expect(Math.max(...gains)).toBeGreaterThan(0.8);
  expect(new Set(tensors.get('bn.running_mean'))).toEqual(new Set([0]));
  expect(new Set(tensors.get('bn.running_var'))).toEqual(new Set([1]));
});

test('groups must divide the width, a depth must be 6n + 2, and a batch norm has no groups', () => {
  const refused = (config: object) => () => bindModel({model: 'resnet', norm: 'group', ...config});
  expect(refused({width: 12})).toThrow('groups must divide width');
  expect(refused({depth: 18})).toThrow('depth must be 6n + 2');
  expect(refused({norm: 'batch', groups: 4})).toThrow('groups');
  expect(refused({norm: 'layer'})).toThrow(/group.*batch/);
});
