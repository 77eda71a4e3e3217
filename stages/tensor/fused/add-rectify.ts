import type {Tensor4D} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {withHandGradient} from './hand-gradient.ts';
import {callNativeSingle, hasNativeOperations} from './native.ts';

/** What comes after a normalisation in a residual network. */
export interface After {
  /** Added to the normalised pictures, of their shape. */
  readonly residual?: Tensor4D | undefined;
  /** Whether what is negative then becomes 0. */
  readonly rectify: boolean;
}

/** The sum with a residual and ReLU, as far as they are asked for, by TensorFlow.js; x [B, H, W, C] → [B, H, W, C]. */
export function addRectifyDefinition(tf: Tf, x: Tensor4D, {residual, rectify}: After): Tensor4D {
  const sum: Tensor4D = residual ? tf.add(x, residual) : x;
  return rectify ? tf.relu(sum) : sum;
}

/** The same. The gradient of ReLU is one pass by an operation of TensorFlow's; the derived one makes six. */
export function addRectify(tf: Tf, x: Tensor4D, {residual, rectify}: After): Tensor4D {
  if (!rectify || !hasNativeOperations(tf)) return addRectifyDefinition(tf, x, {residual, rectify});
  const sum = addRectifyDefinition(tf, x, {residual, rectify: false});
  const rectified = withHandGradient(tf, [sum], () => {
    const value = tf.relu(sum);
    return {
      value,
      saved: [value],
      gradient: (dy, saved) => [callNativeSingle(tf, 'ReluGrad', [dy, saved(0)], {floats: ['T']})],
    };
  });
  return rectified.as4D(...sum.shape);
}
