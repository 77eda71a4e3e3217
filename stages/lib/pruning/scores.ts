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
