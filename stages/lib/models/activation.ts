import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';
import {withHandGradient} from './hand-gradient.ts';

/** What HuggingFace calls `hidden_act`; others are refused by the schema. */
export type Activation = 'gelu' | 'gelu_new' | 'relu';

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

/** GELU's tanh approximation ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), transformers' `NewGELUActivation`. */
function geluNew(tf: Tf, x: Tensor): Tensor {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

export function activate(tf: Tf, activation: Activation, x: Tensor): Tensor {
  switch (activation) {
    case 'gelu':
      return gelu(tf, x);
    case 'gelu_new':
      return geluNew(tf, x);
    case 'relu':
      return tf.relu(x);
  }
}
