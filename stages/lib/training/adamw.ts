import type {Scalar, Tensor1D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';

export const BETA_1 = 0.9;
export const BETA_2 = 0.999;
export const EPSILON = 1e-8;

/** What AdamW carries from step to step, all flat. */
export type OptimizerState = {
  readonly flat: Tensor1D;
  /** Running means of the gradient and of its square; zero at the start. */
  readonly m: Tensor1D;
  readonly v: Tensor1D;
};

/** What changes from step to step, as tensors, so that a recorded step serves them all. */
export type StepScalars = {
  /** 1 − lr · weight_decay */
  readonly shrink: Scalar;
  /** lr / (1 − β1^t) */
  readonly stepSize: Scalar;
  /** √(1 − β2^t) */
  readonly rootCorrection: Scalar;
};

/** The scalars of step t (from 1), computed in float64. */
export function stepScalars(tf: Tf, step: number, lr: number, weightDecay: number): StepScalars {
  return {
    shrink: tf.scalar(1 - lr * weightDecay),
    stepSize: tf.scalar(lr / (1 - BETA_1 ** step)),
    rootCorrection: tf.scalar(Math.sqrt(1 - BETA_2 ** step)),
  };
}
