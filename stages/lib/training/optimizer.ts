import type {Tensor1D} from '@tensorflow/tfjs';
import {scalarOf, vectorOf} from '../../tensor/capture/named.ts';
import type {Tensors} from '../../tensor/capture/record.ts';
import {adamw} from '../../tensor/fused/adamw.ts';
import {clipped} from '../../tensor/fused/clip.ts';
import type {Tf} from '../../tensor/library.ts';
import {adamaxMove} from './adamax.ts';
import {type AdamSettings, type StepScalars, stepScalars} from './adamw.ts';
import {ADAMW, type OptimizerSettings} from './optimizer-settings.ts';
import {sgdMove} from './sgd.ts';

/** What an optimizer makes of a step: parameters, what it carries, and the gradient that moved them, clipped. */
export interface Moved {
  readonly flat: Tensor1D;
  readonly carried: Readonly<Record<string, Tensor1D>>;
  readonly gradient: Tensor1D;
}

/** An optimizer as the training step needs it; `update` is pure and static in shape, so that it can be captured. */
export interface Optimizer {
  /** Names of the vectors that it carries from step to step beside the parameters; zero at the start. */
  readonly carries: readonly string[];
  /** What changes from one of its steps to the next, t from 1, as scalars; computed in float64. */
  scalars(tf: Tf, step: number, lr: number): Tensors;
  /**
   * `inputs` holds `flat`, what it carries, its scalars, and `decays` [size], 1 where weight decay acts, unless it acts on all.
   * `clip` is the largest L2 norm of the whole gradient, or null.
   */
  update(tf: Tf, inputs: Tensors, gradient: Tensor1D, clip: number | null): Moved;
}

/** The gradient of ½ · weightDecay · ‖θ‖² added to another, which is how decay is coupled in Adam and SGD. */
function withDecay(tf: Tf, inputs: Tensors, gradient: Tensor1D, weightDecay: number): Tensor1D {
  if (weightDecay === 0) return gradient;
  const pull = tf.mul(vectorOf(inputs, 'flat'), weightDecay);
  return tf.add(gradient, 'decays' in inputs ? tf.mul(pull, vectorOf(inputs, 'decays')) : pull);
}

const adamStateIn = (inputs: Tensors) => ({
  flat: vectorOf(inputs, 'flat'),
  m: vectorOf(inputs, 'm'),
  v: vectorOf(inputs, 'v'),
});

const adamScalarsIn = (inputs: Tensors): StepScalars => ({
  shrink: scalarOf(inputs, 'shrink'),
  stepSize: scalarOf(inputs, 'stepSize'),
  rootCorrection: scalarOf(inputs, 'rootCorrection'),
});

/** torch.optim.AdamW: the parameters shrink, and the gradient knows nothing of it. */
const decoupledAdam = (settings: AdamSettings, weightDecay: number): Optimizer => ({
  carries: ['m', 'v'],
  scalars: (tf, step, lr) => stepScalars(tf, step, lr, weightDecay, settings),
  update(tf, inputs, gradient, clip) {
    const decays = 'decays' in inputs ? vectorOf(inputs, 'decays') : undefined;
    const update = {gradient, clip, scalars: adamScalarsIn(inputs), decays, settings};
    const {flat, m, v, gradient: used} = adamw(tf, adamStateIn(inputs), update);
    return {flat, carried: {m, v}, gradient: used};
  },
});

/** torch.optim.Adam: decay is a part of the gradient, after clipping. */
const coupledAdam = (settings: AdamSettings, weightDecay: number): Optimizer => ({
  carries: ['m', 'v'],
  scalars: (tf, step, lr) => stepScalars(tf, step, lr, 0, settings),
  update(tf, inputs, raw, clip) {
    const gradient = clipped(tf, raw, clip);
    const pulled = withDecay(tf, inputs, gradient, weightDecay);
    const update = {gradient: pulled, clip: null, scalars: adamScalarsIn(inputs), settings};
    const {flat, m, v} = adamw(tf, adamStateIn(inputs), update);
    return {flat, carried: {m, v}, gradient};
  },
});

/** The optimizer of some settings. What it gives as the gradient is without decay, as PyTorch leaves it in `grad`. */
export function optimizerOf(settings: OptimizerSettings, weightDecay: number): Optimizer {
  switch (settings.name) {
    case 'adamw':
      return decoupledAdam(settings, weightDecay);
    case 'adam':
      return coupledAdam(settings, weightDecay);
    case 'adamax':
      return {
        carries: ['m', 'u'],
        scalars: (tf, _step, lr) => ({lr: tf.scalar(lr), shrink: tf.scalar(1 - lr * weightDecay)}),
        update(tf, inputs, raw, clip) {
          const gradient = clipped(tf, raw, clip);
          return {...adamaxMove(tf, settings, inputs, gradient), gradient};
        },
      };
    case 'sgd':
      return {
        carries: settings.momentum > 0 ? ['m'] : [],
        scalars: (tf, step, lr) => ({
          lr: tf.scalar(lr),
          ...(settings.momentum > 0 && {fresh: tf.scalar(step === 1 ? 1 : 1 - settings.dampening)}),
        }),
        update(tf, inputs, raw, clip) {
          const gradient = clipped(tf, raw, clip);
          return {...sgdMove(tf, settings, inputs, withDecay(tf, inputs, gradient, weightDecay)), gradient};
        },
      };
  }
}

/** torch.optim.AdamW as it comes, which is what trains where nothing else is said. */
export const adamwAsItComes: Optimizer = optimizerOf(ADAMW, 0.01);
