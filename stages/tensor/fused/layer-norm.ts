import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {withHandGradient} from './hand-gradient.ts';
import {callNative, callNativeSingle, hasNativeOperations} from './native.ts';

/** What a normalised row is multiplied by and what is added then, both [D], and what keeps the root from 0. */
export interface Norm {
  readonly gain: Tensor;
  readonly shift: Tensor;
  readonly epsilon: number;
}

/**
 * Layer normalisation of each row by TensorFlow.js: (x − mean) / √(variance + ε) · gain + shift, variance biased; x [N, D] →
 * [N, D]. With x̂ the normalised rows, g = dy · gain and means along the row, its gradient is
 * dx = (g − mean(g) − x̂ · mean(g · x̂)) / √(variance + ε).
 */
export function layerNormDefinition(tf: Tf, x: Tensor, {gain, shift, epsilon}: Norm): Tensor {
  return withHandGradient(tf, [x, gain, shift], () => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
    const normal = tf.mul(centred, inverse);
    return {
      value: tf.add(tf.mul(normal, gain), shift),
      saved: [normal, inverse, gain],
      gradient: (dy, saved) => {
        const [hat, scale, factor] = [saved(0), saved(1), saved(2)];
        const dyHat = tf.mul(dy, hat);
        const g = tf.mul(dy, factor);
        const along = tf.mul(hat, tf.mean(tf.mul(dyHat, factor), -1, true));
        const dx = tf.mul(tf.sub(tf.sub(g, tf.mean(g, -1, true)), along), scale);
        return [dx, tf.sum(dyHat, 0), tf.sum(dy, 0)];
      },
    };
  });
}

/** Layer normalisation of each row: x [N, D] → [N, D]. Native for any shape. */
export function layerNorm(tf: Tf, x: Tensor, norm: Norm): Tensor {
  if (!hasNativeOperations(tf)) return layerNormDefinition(tf, x, norm);
  const {gain, shift, epsilon} = norm;
  const attributes = {reals: {epsilon}};
  return withHandGradient(tf, [x, gain, shift], () => ({
    value: callNativeSingle(tf, 'BasinLayerNorm', [x, gain, shift], attributes),
    saved: [x, gain],
    gradient: (dy, saved) => callNative(tf, 'BasinLayerNormGradient', [dy, saved(0), saved(1)], 3, attributes),
  }));
}
