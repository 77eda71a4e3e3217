import type {Tensor} from '@tensorflow/tfjs';
import {biasGelu} from '../../tensor/fused/bias-gelu.ts';
import type {Tf} from '../../tensor/library.ts';

/** What HuggingFace calls `hidden_act`; others are refused by the schema. */
export type Activation = 'gelu' | 'gelu_new' | 'relu';

/** GELU's tanh approximation ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), transformers' `NewGELUActivation`. */
function geluNew(tf: Tf, x: Tensor): Tensor {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

/** The activation of rows u + bias: u [N, D], bias [D]. */
export function activate(tf: Tf, activation: Activation, u: Tensor, bias: Tensor): Tensor {
  switch (activation) {
    case 'gelu':
      return biasGelu(tf, u, bias);
    case 'gelu_new':
      return geluNew(tf, tf.add(u, bias));
    case 'relu':
      return tf.relu(tf.add(u, bias));
  }
}
