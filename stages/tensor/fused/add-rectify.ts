import type {Tensor4D} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';

/** What comes after a normalisation in a residual network. */
export interface After {
  /** Added to the normalised pictures, of their shape. */
  readonly residual?: Tensor4D | undefined;
  /** Whether what is negative then becomes 0. */
  readonly rectify: boolean;
}

/** The sum with a residual and ReLU, as far as they are asked for, by TensorFlow.js; x [B, H, W, C] → [B, H, W, C]. */
export function addRectify(tf: Tf, x: Tensor4D, {residual, rectify}: After): Tensor4D {
  const sum: Tensor4D = residual ? tf.add(x, residual) : x;
  return rectify ? tf.relu(sum) : sum;
}
