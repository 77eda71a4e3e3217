import type {Scalar, Tensor1D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';

/** PLATON's memory of each prunable weight; all zero at the start. */
export interface ScoreState {
  /** Running mean of the sensitivity |θ·∇L| inside the current window of ΔT steps. */
  readonly window: Tensor1D;
  /** Ī, its exponential mean over windows. */
  readonly importance: Tensor1D;
  /** Ū, the exponential mean of |window − Ī|. */
  readonly uncertainty: Tensor1D;
}

export interface ScoreDecay {
  readonly beta1: number;
  readonly beta2: number;
}

/**
 * The window's mean after one more step: (place · window + |θ·∇L|) / (place + 1), as PLATON's published code has it (science §1.2;
 * Pruner.py at c1776cf). `place` is step mod ΔT, so that at 0 a new window starts with this step; finite means then leave no trace.
 */
export function windowMean(tf: Tf, window: Tensor1D, weights: Tensor1D, gradient: Tensor1D, place: Scalar): Tensor1D {
  return tf.div(tf.add(tf.mul(window, place), tf.abs(tf.mul(weights, gradient))), tf.add(place, 1));
}

/** Takes a window that has ended into the exponential means, so that they lag by one window; it stays as it is. */
export function closeWindow(
  tf: Tf,
  {window, importance, uncertainty}: ScoreState,
  {beta1, beta2}: ScoreDecay,
): ScoreState {
  const mean: Tensor1D = tf.add(tf.mul(importance, beta1), tf.mul(window, 1 - beta1));
  const deviation = tf.abs(tf.sub(window, mean));
  return {window, importance: mean, uncertainty: tf.add(tf.mul(uncertainty, beta2), tf.mul(deviation, 1 - beta2))};
}

/** S = Ī·Ū: a weight stays when either is large enough. */
export const scoresOf = (tf: Tf, {importance, uncertainty}: ScoreState): Tensor1D => tf.mul(importance, uncertainty);
