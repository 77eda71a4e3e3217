import type {StageServices} from '../../../src/stage/define-stage.ts';
import {scalarOf} from '../../tensor/capture/named.ts';
import type {Tensors} from '../../tensor/capture/record.ts';
import type {Tf} from '../../tensor/library.ts';
import {type BatchBuffer, labelTensor, pictureTensor} from '../pictures/batch.ts';
import {draw} from '../random/philox.ts';
import type {TrainingHook} from './hook.ts';
import {optimizerOf} from './optimizer.ts';
import {decayingWeights} from './parameter-layout.ts';
import type {TrainingParameters} from './parameters.ts';
import type {Task} from './task.ts';
import {capturedParts, capturedStep, stateOf, type TrainingState} from './train-step.ts';

/** Where a step stands. */
interface StepPlace {
  /** Its number in the whole training, from 1. */
  readonly step: number;
  /** Its number for the optimizer, which began with nothing carried, from 1. */
  readonly own: number;
  readonly lr: number;
}

/** A batch on the host, its first `n` pictures. */
export interface Batch extends BatchBuffer {
  readonly n: number;
}

interface Advanced {
  readonly state: TrainingState;
  readonly loss: number;
}

/** What makes optimizer steps of batches. Tensors of a state are the caller's to dispose of. */
export interface Stepper {
  /** The state before the first step, from the task's weights. */
  start(): TrainingState;
  /** One step of `count` batches with `total` pictures together, each asked for when the one before has been used. */
  advance(
    state: TrainingState,
    place: StepPlace,
    group: {readonly count: number; readonly total: number; next(): Promise<Batch>},
  ): Promise<Advanced>;
  dispose(): void;
}

/** Further inputs of batch `index` of a step: the key of its dropout, where the model has any. */
function dropoutKey(tf: Tf, task: Task, seed: number, step: number, index: number): Tensors {
  if (task.model.dropout === 0) return {};
  const words = [0, 1].map((word) => draw(seed, 'dropout', step, index, word) | 0);
  return {dropout: tf.tensor1d(words, 'int32')};
}

export function stepper(task: Task, params: TrainingParameters, {tf}: StageServices, hook: TrainingHook): Stepper {
  const {model, layout} = task;
  const optimizer = optimizerOf(params.optimizer, params.weight_decay);
  const program = {model, layout, clip: params.clip, optimizer, labelSmoothing: params.label_smoothing};
  const whole = capturedStep(tf, program, hook);
  const parts = capturedParts(tf, program, hook);
  const decays = params.decay === 'weights' ? tf.tensor1d(decayingWeights(layout)) : undefined;

  const ofStep = ({step, own, lr}: StepPlace): Tensors => ({
    ...optimizer.scalars(tf, own, lr),
    ...(decays && {decays}),
    ...hook.inputs?.(step),
  });
  const ofBatch = (batch: Batch, {step}: StepPlace, index: number): Tensors => ({
    pictures: pictureTensor(tf, batch, task.preprocessing, batch.n),
    labels: labelTensor(tf, batch, batch.n),
    ...dropoutKey(tf, task, params.seed.dropout, step, index),
  });
  const after = (step: number, given: Tensors): Tensors => {
    const state = stateOf(optimizer, given);
    return {...state, flat: hook.afterStep?.(step, {...given, flat: state.flat}) ?? state.flat};
  };
  const read = (given: Tensors): number => {
    const loss = scalarOf(given, 'loss');
    const [value = Number.NaN] = loss.dataSync<'float32'>();
    loss.dispose();
    return value + 0; // never −0, the loss of a batch without doubt, which a checkpoint would give back as 0
  };

  return {
    start: () =>
      tf.tidy(() => {
        const loaded = tf.tensor1d(task.start);
        const carried = optimizer.carries.map((name) => [name, tf.zeros<typeof loaded.rankType>([layout.size])]);
        return {...Object.fromEntries(carried), flat: hook.start?.(loaded) ?? loaded};
      }),
    async advance(state, place, {count, total, next}) {
      if (count === 1) {
        const batch = await next();
        const given = tf.tidy(() => {
          const made = whole({...state, ...ofBatch(batch, place, 0), ...ofStep(place)});
          return {...after(place.step, made), loss: scalarOf(made, 'loss')};
        });
        return {state: stateOf(optimizer, given), loss: read(given)};
      }
      let sum: Tensors = {loss: tf.scalar(0), gradient: tf.zeros([layout.size])};
      for (let index = 0; index < count; index++) {
        const batch = await next();
        const before = sum;
        sum = tf.tidy(() =>
          parts.add({flat: state.flat, ...before, ...ofBatch(batch, place, index), share: tf.scalar(batch.n / total)}),
        );
        tf.dispose(before);
      }
      const {gradient, ...rest} = sum;
      const given = tf.tidy(() =>
        after(place.step, parts.update({...state, ...(gradient && {gradient}), ...ofStep(place)})),
      );
      gradient?.dispose();
      return {state: stateOf(optimizer, given), loss: read(rest)};
    },
    dispose: () => tf.dispose(decays ? [decays] : []),
  };
}
