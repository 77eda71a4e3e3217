import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {withHandGradient} from './hand-gradient.ts';
import {callNative, callNativeSingle, hasNativeOperations} from './native.ts';

const HALF_LOG_PI = Math.log(Math.PI) / 2;

/**
 * Exact GELU x Φ(x) by erf (Hendrycks & Gimpel 2016, eq. 1). With t = x / √2 its derivative Φ(x) + x φ(x) is
 * Φ(x) + t exp(−t² − ½ ln π): six passes over the largest tensor of a block.
 */
function gelu(tf: Tf, x: Tensor): Tensor {
  return withHandGradient(tf, [x], () => {
    const t = tf.mul(x, Math.SQRT1_2);
    const cumulative = tf.add(tf.mul(tf.erf(t), 0.5), 0.5);
    return {
      value: tf.mul(x, cumulative),
      saved: [t, cumulative],
      gradient: (dy, saved) => {
        const density = tf.exp(tf.sub(-HALF_LOG_PI, tf.square(saved(0))));
        return [tf.mul(dy, tf.add(saved(1), tf.mul(saved(0), density)))];
      },
    };
  });
}

/** GELU(u + bias) by TensorFlow.js: u [N, D], bias [D]. */
export function biasGeluDefinition(tf: Tf, u: Tensor, bias: Tensor): Tensor {
  const sum = withHandGradient(tf, [u, bias], () => ({
    value: tf.add(u, bias),
    saved: [],
    gradient: (dy) => [tf.clone(dy), tf.sum(dy, 0)],
  }));
  return gelu(tf, sum);
}

/** GELU(u + bias), exact: u [N, D], bias [D]. One pass forward and one backward where the addon has it; any D. */
export function biasGelu(tf: Tf, u: Tensor, bias: Tensor): Tensor {
  if (!hasNativeOperations(tf)) return biasGeluDefinition(tf, u, bias);
  return withHandGradient(tf, [u, bias], () => ({
    value: callNativeSingle(tf, 'BasinBiasGelu', [u, bias]),
    saved: [u, bias],
    gradient: (dy, saved) => callNative(tf, 'BasinBiasGeluGradient', [dy, saved(0), saved(1)], 2),
  }));
}
