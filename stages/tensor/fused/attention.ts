import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {withHandGradient} from './hand-gradient.ts';
import {callNative, hasNativeOperations} from './native.ts';

export interface AttentionShape {
  /** They divide the width D. */
  readonly heads: number;
  /** Rows of one image. */
  readonly tokens: number;
}

/** A projection by one product, without its bias yet. */
export interface Projected {
  readonly product: Tensor;
  readonly bias: Tensor;
}

/** rows + bias, with a hand gradient that makes no reshapes. */
function biased(tf: Tf, {product, bias}: Projected): Tensor {
  return withHandGradient(tf, [product, bias], () => ({
    value: tf.add(product, bias),
    saved: [],
    gradient: (dy) => [tf.clone(dy), tf.sum(dy, 0)],
  }));
}

/**
 * Projections side by side, [B · R, P · D], bias added → P tensors [B, H, R, D / H]. They are split after the transpose, where they
 * lie in long stretches: of four ways the fastest on wasm, where one that needs five axes takes forty times as long.
 */
function heads(tf: Tf, projected: Projected, parts: number, batch: number, count: number): Tensor[] {
  const rows = biased(tf, projected);
  const size = (rows.shape[1] ?? 0) / (parts * count);
  const together = tf.transpose(tf.reshape(rows, [batch, -1, parts * count, size]), [0, 2, 1, 3]);
  return parts === 1 ? [together] : tf.split(together, parts, 1); // into one part, tfjs 4.22 fails in the gradient
}

/** What training does to the weights of attention [B, H, R, T] before they mix the values. */
type Drop = (weights: Tensor) => Tensor;

/** softmax(q kᵀ / √d) v of heads [B, H, R, d], [B, H, T, d] and [B, H, T, d] → [B · R, H · d] (Vaswani et al. 2017, eq. 1). */
function attend(tf: Tf, projections: readonly Tensor[], drop: Drop = (weights) => weights): Tensor {
  const [queries, keys, values] = projections;
  if (!queries || !keys || !values) throw new Error('Internal error: attention lacks a projection');
  const [, count = 1, , size = 1] = queries.shape;
  const weights = drop(tf.softmax(tf.matMul(tf.mul(queries, size ** -0.5), keys, false, true)));
  const mixed = tf.matMul(weights, values);
  return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [-1, count * size]);
}

/** Self-attention by TensorFlow.js. */
export function selfAttentionDefinition(tf: Tf, qkv: Projected, shape: AttentionShape, drop?: Drop): Tensor {
  return attend(tf, heads(tf, qkv, 3, (qkv.product.shape[0] ?? 0) / shape.tokens, shape.heads), drop);
}

/** Attention of one row of each image by TensorFlow.js. */
export function rowAttentionDefinition(
  tf: Tf,
  query: Projected,
  kv: Projected,
  shape: AttentionShape,
  drop?: Drop,
): Tensor {
  const batch = (kv.product.shape[0] ?? 0) / shape.tokens;
  return attend(tf, [...heads(tf, query, 1, batch, shape.heads), ...heads(tf, kv, 2, batch, shape.heads)], drop);
}

const HEAD_STEP = 16;

/** The native operation takes any number of tokens, and heads of whole vectors. */
const applies = (tf: Tf, width: number, {heads}: AttentionShape): boolean =>
  hasNativeOperations(tf) && width % (heads * HEAD_STEP) === 0;

/**
 * Self-attention without its output projection: qkv [B · T, 3D], query, key and value side by side → [B · T, D]. The native operation
 * never has all weights at once, so with `drop` the definition computes.
 */
export function selfAttention(tf: Tf, qkv: Projected, shape: AttentionShape, drop?: Drop): Tensor {
  if (drop || !applies(tf, (qkv.product.shape[1] ?? 0) / 3, shape))
    return selfAttentionDefinition(tf, qkv, shape, drop);
  const {product, bias} = qkv;
  const attributes = {integers: {...shape}};
  return withHandGradient(tf, [product, bias], () => {
    const [value, logSumExp] = callNative(tf, 'BasinAttention', [product, bias], 2, attributes);
    if (!value || !logSumExp) throw new Error('Internal error: attention lacks an output');
    return {
      value,
      saved: [product, bias, logSumExp],
      gradient: (dy, saved) =>
        callNative(tf, 'BasinAttentionGradient', [dy, saved(0), saved(1), saved(2)], 2, attributes),
    };
  });
}

/** Attention of one row of each image over all its rows: query [B, D], kv [B · T, 2D], key and value side by side → [B, D]. */
export function rowAttention(tf: Tf, query: Projected, kv: Projected, shape: AttentionShape, drop?: Drop): Tensor {
  if (drop || !applies(tf, query.product.shape[1] ?? 0, shape))
    return rowAttentionDefinition(tf, query, kv, shape, drop);
  const inputs = [query.product, query.bias, kv.product, kv.bias];
  const attributes = {integers: {...shape}};
  return withHandGradient(tf, inputs, () => {
    const [value, logSumExp] = callNative(tf, 'BasinRowAttention', inputs, 2, attributes);
    if (!value || !logSumExp) throw new Error('Internal error: attention lacks an output');
    return {
      value,
      saved: [...inputs, logSumExp],
      gradient: (dy, saved) =>
        callNative(
          tf,
          'BasinRowAttentionGradient',
          [dy, saved(0), saved(1), saved(2), saved(3), saved(4)],
          4,
          attributes,
        ),
    };
  });
}
