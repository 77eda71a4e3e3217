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

/** S = Ī·Ū: a weight stays when either is large enough. */
export const scoresOf = (tf: Tf, {importance, uncertainty}: ScoreState): Tensor1D => tf.mul(importance, uncertainty);
