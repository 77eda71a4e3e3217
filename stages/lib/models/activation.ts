import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';
import {withHandGradient} from './hand-gradient.ts';

/** What HuggingFace calls `hidden_act`; others are refused by the schema. */
export type Activation = 'gelu' | 'gelu_new' | 'relu';

const INVERSE_SQRT_TAU = 1 / Math.sqrt(2 * Math.PI);

/** Exact GELU x Φ(x) by erf (Hendrycks & Gimpel 2016, eq. 1); its derivative is Φ(x) + x φ(x). */
function gelu(tf: Tf, x: Tensor): Tensor {
  return withHandGradient(tf, [x], () => {
    const cumulative = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5);
    return {
      value: tf.mul(x, cumulative),
      saved: [x, cumulative],
      gradient: (dy, saved) => {
        const input = saved(0);
        const density = tf.exp(tf.mul(tf.square(input), -0.5));
        return [tf.mul(dy, tf.add(saved(1), tf.mul(tf.mul(input, INVERSE_SQRT_TAU), density)))];
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
