import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {type Case, values, withGradients} from './case.ts';

/** GELU(x) = x·Φ(x) by the error function, as in Hendrycks and Gimpel 2016, equation 1. */
const gelu = (tf: Tf, x: Tensor): Tensor => x.mul(0.5).mul(tf.erf(x.mul(Math.SQRT1_2)).add(1));

/** Layer normalisation over the last axis (Ba et al. 2016, equation 3), gain and bias inside the root's epsilon form. */
function layerNorm(tf: Tf, x: Tensor, gain: Tensor, bias: Tensor): Tensor {
  const {mean, variance} = tf.moments(x, -1, true);
  return x
    .sub(mean)
    .mul(tf.rsqrt(variance.add(1e-12)))
    .mul(gain)
    .add(bias);
}

/** Scaled dot-product attention of several heads, from the projections [batch, tokens, 3·width]. */
function attention(tf: Tf, qkv: Tensor, heads: number): Tensor {
  const [batch = 1, tokens = 1, triple = 3] = qkv.shape;
  const width = triple / 3;
  const parts = tf
    .split(qkv, 3, -1)
    .map((part) => tf.transpose(part.reshape([batch, tokens, heads, width / heads]), [0, 2, 1, 3]));
  const [q, k, v] = parts;
  if (!q || !k || !v) throw new Error('Internal error: a split in three gave fewer parts');
  const scores = tf.softmax(tf.matMul(q, k, false, true).div(Math.sqrt(width / heads)));
  return tf.transpose(tf.matMul(scores, v), [0, 2, 1, 3]).reshape([batch, tokens, width]);
}

/** Mean cross-entropy of logits [n, classes]. */
function crossEntropy(tf: Tf, logits: Tensor, labels: readonly number[]): Tensor {
  const hot = tf.oneHot(tf.tensor1d([...labels], 'int32'), logits.shape[1] ?? 0).toFloat();
  return tf.logSoftmax(logits).mul(hot).sum().div(-labels.length);
}

/** What networks are made of, each in value and gradients. */
export const networkCases: readonly Case[] = [
  {name: 'exact GELU', compute: (tf) => withGradients(tf, (x) => gelu(tf, x), [values(tf, [3, 50]).mul(3)])},
  {
    name: 'layer normalisation',
    compute: (tf) =>
      withGradients(tf, (x, g, b) => layerNorm(tf, x, g, b), [
        values(tf, [2, 5, 16]),
        values(tf, [16], 2),
        values(tf, [16], 3),
      ]),
  },
  {name: 'attention', compute: (tf) => withGradients(tf, (x) => attention(tf, x, 2), [values(tf, [2, 5, 24])])},
  {
    name: 'cross-entropy',
    compute: (tf) => withGradients(tf, (x) => crossEntropy(tf, x, [0, 2, 1]), [values(tf, [3, 4])]),
  },
  {
    name: 'class token and positions',
    compute: (tf) =>
      withGradients(
        tf,
        (token, patches, positions) => tf.concat([tf.tile(token, [2, 1, 1]), patches], 1).add(positions),
        [values(tf, [1, 1, 6]), values(tf, [2, 4, 6], 2), values(tf, [1, 5, 6], 3)],
      ),
  },
  {
    name: 'patches by a transpose of six axes',
    compute: (tf) =>
      withGradients(tf, (x) => tf.transpose(x.reshape([2, 3, 2, 4, 2, 4]), [0, 2, 4, 1, 3, 5]).reshape([2, 4, 48]), [
        values(tf, [2, 192]),
      ]),
  },
  {
    name: 'a step of AdamW under a mask',
    compute: (tf) => {
      const [w, g, m] = [values(tf, [6, 5]), values(tf, [6, 5], 2), values(tf, [6, 5], 3)];
      const first = m.mul(0.9).add(g.mul(0.1));
      const second = m.square().mul(0.999).add(g.square().mul(0.001));
      const mask = tf.greater(w.abs(), 0.4).toFloat();
      return [
        w
          .mul(1 - 1e-3)
          .sub(first.div(tf.sqrt(second).add(1e-8)).mul(0.01))
          .mul(mask),
        first,
        second,
      ];
    },
  },
  {
    name: 'two layers with a ReLU',
    compute: (tf) =>
      withGradients(tf, (x, w, b, v) => tf.matMul(tf.relu(tf.matMul(x, w).add(b)), v), [
        values(tf, [4, 12]),
        values(tf, [12, 9], 2),
        values(tf, [9], 3),
        values(tf, [9, 3], 4),
      ]),
  },
];
