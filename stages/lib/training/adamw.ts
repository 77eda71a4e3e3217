import type {Scalar, Tensor1D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';
import {ADAMW} from './optimizer-settings.ts';

/** What Adam and AdamW are set to. */
export interface AdamSettings {
  /** Weights of the past in the means of the gradient and of its square. */
  readonly betas: readonly [number, number];
  readonly eps: number;
}

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
export function stepScalars(
  tf: Tf,
  step: number,
  lr: number,
  weightDecay: number,
  {betas: [beta1, beta2]}: AdamSettings = ADAMW,
): StepScalars {
  return {
    shrink: tf.scalar(1 - lr * weightDecay),
    stepSize: tf.scalar(lr / (1 - beta1 ** step)),
    rootCorrection: tf.scalar(Math.sqrt(1 - beta2 ** step)),
  };
}
