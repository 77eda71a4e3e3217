import type {Scalar, Tensor1D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';

const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

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

/**
 * One update as torch.optim.AdamW makes it (β .9/.999, ε 1e-8): decoupled decay first, then p − stepSize · m / (√v / rootCorrection + ε).
 * `decays` holds 1 where weight decay acts and 0 elsewhere; without it, it acts on all.
 */
export function adamw(
  tf: Tf,
  {flat, m, v}: OptimizerState,
  gradient: Tensor1D,
  scalars: StepScalars,
  decays?: Tensor1D,
): OptimizerState {
  const nextM: Tensor1D = tf.add(tf.mul(m, BETA_1), tf.mul(gradient, 1 - BETA_1));
  const nextV: Tensor1D = tf.add(tf.mul(v, BETA_2), tf.mul(tf.square(gradient), 1 - BETA_2));
  // shrink − 1 is exact (Sterbenz), so where decays is 1 the factor is shrink to the last bit
  const factor = decays ? tf.add(tf.mul(decays, tf.sub(scalars.shrink, 1)), 1) : scalars.shrink;
  const denominator = tf.add(tf.div(tf.sqrt(nextV), scalars.rootCorrection), EPSILON);
  const move = tf.mul(tf.div(nextM, denominator), scalars.stepSize);
  return {flat: tf.sub(tf.mul(flat, factor), move), m: nextM, v: nextV};
}

/** torch's clip_grad_norm_: the gradient times min(1, limit / (L2 norm + 1e-6)). */
export function clipGradient(tf: Tf, gradient: Tensor1D, limit: number): {clipped: Tensor1D; norm: Scalar} {
  const norm: Scalar = tf.sqrt(tf.sum(tf.square(gradient)));
  const factor = tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1);
  return {clipped: tf.mul(gradient, factor), norm};
}
