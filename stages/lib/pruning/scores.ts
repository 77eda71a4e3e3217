import type {Tensor1D} from '@tensorflow/tfjs';
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
 * Takes one step's weights and gradients into account, as PLATON's published code does (science §1.2; Pruner.py at
 * c1776cf). `place` is step mod ΔT: at 0 the window that has just ended enters the exponential means and a new one starts
 * with this step, so means lag by one window; elsewhere only the window's mean moves.
 */
export function updateScores(
  tf: Tf,
  state: ScoreState,
  weights: Tensor1D,
  gradient: Tensor1D,
  place: number,
  {beta1, beta2}: ScoreDecay,
): ScoreState {
  const sensitivity: Tensor1D = tf.abs(tf.mul(weights, gradient));
  if (place !== 0) {
    const window: Tensor1D = tf.div(tf.add(tf.mul(state.window, tf.scalar(place)), sensitivity), tf.scalar(place + 1));
    return {...state, window};
  }
  const importance: Tensor1D = tf.add(tf.mul(state.importance, beta1), tf.mul(state.window, 1 - beta1));
  const deviation = tf.abs(tf.sub(state.window, importance));
  const uncertainty: Tensor1D = tf.add(tf.mul(state.uncertainty, beta2), tf.mul(deviation, 1 - beta2));
  return {window: sensitivity, importance, uncertainty};
}

/** S = Ī·Ū: a weight stays when either is large enough. */
export const scoresOf = (tf: Tf, {importance, uncertainty}: ScoreState): Tensor1D => tf.mul(importance, uncertainty);
