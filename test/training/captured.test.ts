import * as anyTf from '@tensorflow/tfjs';
import {describe, expect, test} from 'vitest';
import {z} from 'zod';
import type {JsonObject} from '../../src/base/json.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {chooseScorer} from '../../stages/lib/pruning/choose-scorer.ts';
import {gradual} from '../../stages/lib/pruning/gradual.ts';
import {fixedMask} from '../../stages/lib/pruning/masks.ts';
import type {Score} from '../../stages/lib/pruning/score.ts';
import type {TrainingHook} from '../../stages/lib/training/hook.ts';
import {optimizerOf} from '../../stages/lib/training/optimizer.ts';
import {withOptimizer} from '../../stages/lib/training/optimizer-settings.ts';
import {
  decayingWeights,
  layoutOf,
  type ParameterLayout,
  pack,
  unpack,
} from '../../stages/lib/training/parameter-layout.ts';
import {trainingParameters} from '../../stages/lib/training/parameters.ts';
import {inSteps, scheduleFactor} from '../../stages/lib/training/schedule.ts';
import {capturedStep, hookedStep, stateOf} from '../../stages/lib/training/train-step.ts';
import {scalarOf} from '../../stages/tensor/capture/named.ts';
import type {Tensors} from '../../stages/tensor/capture/record.ts';
import {relativeError} from '../rig/gradients.ts';
import {backends} from '../rig/tensor-backends.ts';

const native = (await backends()).find(({name}) => name === 'tensorflow');

const STEPS = 20;
const BATCH = 6;

const OPTIMIZERS: Readonly<Record<string, object>> = {
  adamw: {},
  trainer: {optimizer: 'trainer', weight_decay: 0.1},
  adam: {optimizer: 'adam', weight_decay: 0.1},
  adamax: {optimizer: 'adamax'},
  sgd: {optimizer: 'sgd', weight_decay: 0.1, decay: 'weights'},
  'sgd with momentum': {optimizer: {name: 'sgd', momentum: 0.9, dampening: 0.5}},
  'sgd with Nesterov': {optimizer: {name: 'sgd', momentum: 0.9, nesterov: true}, label_smoothing: 0.1},
};
const SCHEDULES: readonly unknown[] = [
  'linear',
  {name: 'cosine', warmup: 4},
  {name: 'constant', warmup: 4},
  {name: 'step', milestones: [8, 14], warmup: 4},
];
const vit = {
  model: 'vit',
  labels: 3,
  image_size: 4,
  num_channels: 1,
  patch_size: 2,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 1,
  intermediate_size: 20,
};
const resnet = {model: 'resnet', depth: 8, width: 2, labels: 3, image_size: 4, num_channels: 1};
const MODELS: Readonly<Record<string, JsonObject>> = {
  vit,
  'vit in bf16': vit,
  'resnet by group': {...resnet, norm: 'group', groups: 2},
  'resnet by batch': {...resnet, norm: 'batch'},
  'vit with dropout': {...vit, hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.2},
  mlp: {model: 'mlp', labels: 3, image_size: 4, hidden: [9, 5]},
};
/** A schedule is one number a step, so each meets every optimizer, hook and model, but not all of them at once. */
const schedulesFor = (place: number): readonly unknown[] =>
  process.env.BASIN_ALL === '1' ? SCHEDULES : SCHEDULES.slice(place % SCHEDULES.length).slice(0, 1);
const CASES = [
  ...['vit', 'vit with dropout', 'mlp'].flatMap((model) =>
    ['none', 'mask', 'platon', 'movement'].map((hook) => ({model, hook})),
  ),
  ...['vit in bf16', 'resnet by group', 'resnet by batch'].map((model) => ({model, hook: 'mask'})),
];
const parameters = z.strictObject(trainingParameters).transform(withOptimizer);

describe.skipIf(!native)('captured steps', () => {
  const tf = native?.tf ?? anyTf; // without a native back end this is declared and skipped
  const noise = (...shape: number[]) =>
    tf.tensor(
      Float32Array.from({length: shape.reduce((a, b) => a * b, 1)}, (_, i) => Math.sin(1.7 * i + 1)),
      shape,
    );

  const pruning = (layout: ParameterLayout, score: Score) => {
    const schedule = {steps: STEPS, warmup: 3, finalWarmup: 5, interval: 2, keep: 0.4};
    return gradual(tf, layout, {schedule, method: 'exact', scorer: chooseScorer(tf, layout, schedule.interval, score)});
  };
  const HOOKS: Readonly<Record<string, (layout: ParameterLayout) => TrainingHook & {dispose?(): void}>> = {
    none: () => ({}),
    mask: ({size}) =>
      fixedMask(
        tf,
        tf.tensor1d(
          Uint8Array.from({length: size}, (_, i) => Math.min(1, i % 3)),
          'bool',
        ),
      ),
    platon: (layout) => pruning(layout, {name: 'platon', beta1: 0.85, beta2: 0.95}),
    movement: (layout) => pruning(layout, {name: 'movement'}),
  };

  test.for(CASES.map((one, index) => ({...one, index})))(
    'of a $model with the hook $hook equal eager ones over twenty steps, by every optimizer',
    async ({model: modelName, hook: hookName, index}) => {
      await tf.setBackend('tensorflow');
      const model = bindModel(MODELS[modelName] ?? {}, modelName.endsWith('bf16') ? 'bf16' : 'fp32');
      const layout = layoutOf(model.parameters);
      for (const [place, [name, settings]] of Object.entries(OPTIMIZERS).entries()) {
        for (const schedule of schedulesFor(index + place)) {
          const params = parameters.parse({data: {name: 'mnist'}, length: '20it', lr: 0.001, schedule, ...settings});
          const optimizer = optimizerOf(params.optimizer, params.weight_decay);
          const program = {
            model,
            layout,
            clip: (index + place) % 2 === 0 ? null : 1,
            optimizer,
            labelSmoothing: params.label_smoothing,
          };
          const bound = inSteps(params.schedule, {steps: STEPS, stepsPerEpoch: STEPS});
          const [captured, eager] = [capturedStep, hookedStep].map((make) =>
            tf.tidy(() => {
              const hook = HOOKS[hookName]?.(layout) ?? {};
              const run = make(tf, program, hook);
              const loaded = tf.tensor1d(pack(layout, initialise(model, 1)));
              let state = stateOf(optimizer, {
                ...Object.fromEntries(optimizer.carries.map((slot) => [slot, tf.zerosLike(loaded)])),
                flat: hook.start?.(loaded) ?? loaded,
              });
              const constant = {
                pictures: noise(BATCH, 1, 4, 4),
                labels: tf.tensor1d([0, 1, 2, 2, 1, 1], 'int32'),
                ...(params.decay === 'weights' && {decays: tf.tensor1d(decayingWeights(layout))}),
              };
              const losses: number[] = [];
              for (let step = 1; step <= STEPS; step++) {
                const changing: Tensors = {
                  ...optimizer.scalars(tf, step, params.lr * scheduleFactor(bound, step - 1, STEPS)),
                  ...(model.dropout > 0 && {dropout: tf.tensor1d([step, -step], 'int32')}),
                  ...hook.inputs?.(step),
                };
                const given = run({...state, ...constant, ...changing});
                const next = stateOf(optimizer, given);
                state = {...next, flat: hook.afterStep?.(step, {...given, flat: next.flat}) ?? next.flat};
                losses.push(scalarOf(given, 'loss').dataSync()[0] ?? Number.NaN);
              }
              // a key's bias moves no output: its gradient is 0 but for rounding, which Adam makes as large as any other
              const flat = unpack(layout, state.flat.dataSync<'float32'>())
                .filter((tensor) => !tensor.name.endsWith('key.bias'))
                .flatMap(({values}) => [...values]);
              hook.dispose?.();
              return {losses, flat};
            }),
          );
          const what = `${name} under ${JSON.stringify(schedule)}, clip ${program.clip}`;
          expect(new Set(captured?.losses).size, what).toBeGreaterThan(STEPS / 2);
          expect(relativeError(captured?.losses ?? [], eager?.losses ?? []), what).toBeLessThan(1e-6);
          expect(relativeError(captured?.flat ?? [], eager?.flat ?? []), what).toBeLessThan(1e-5);
        }
      }
    },
  );
});
