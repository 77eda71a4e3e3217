import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {callNativeSingle, hasNativeOperations} from './native.ts';

/** How matrix products compute: in float32, or of operands rounded to bfloat16 with sums in float32. All else is float32 in both. */
export const PRECISIONS = ['fp32', 'bf16'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Which operands of a product are transposed first (none), and its precision (fp32). */
export interface ProductForm {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly precision?: Precision;
}

/** `Arithmetic` in native/product.h. */
const ARITHMETIC = {fp32: 0, bf16: 1, 'bf16 by emulated tiles': 2} as const;

/**
 * To the nearest bfloat16, ties to even, by Veltkamp's splitting (Dekker 1971) with 2^16 + 1, which takes 16 of a float32's 24 bits.
 * Equal to the rounding of the bits for every mantissa; beyond 5e33 it overflows to what is not a number.
 */
function roundToBfloat16(tf: Tf, x: Tensor): Tensor {
  const scaled = tf.mul(x, 2 ** 16 + 1);
  return tf.sub(scaled, tf.sub(scaled, x));
}

/** A product of two matrices by TensorFlow.js. */
export function multiplyDefinition(tf: Tf, a: Tensor, b: Tensor, form: ProductForm = {}): Tensor {
  const {transposeA = false, transposeB = false, precision = 'fp32'} = form;
  if (precision === 'fp32') return tf.matMul(a, b, transposeA, transposeB);
  return tf.tidy(() => tf.matMul(roundToBfloat16(tf, a), roundToBfloat16(tf, b), transposeA, transposeB));
}

/** The same by native/product.cc, in one of its kinds of arithmetic. */
export function multiplyNative(
  tf: Tf,
  a: Tensor,
  b: Tensor,
  {transposeA = false, transposeB = false}: ProductForm,
  arithmetic: keyof typeof ARITHMETIC,
): Tensor {
  return callNativeSingle(tf, 'BasinProduct', [a, b], {
    integers: {arithmetic: ARITHMETIC[arithmetic]},
    booleans: {transpose_left: transposeA, transpose_right: transposeB},
  });
}

/**
 * Whether our float32 product is at least as fast as TensorFlow's operation MatMul, by the shortest of its three axes. GFLOP/s of one
 * thread on Zen 4 by processor time (ours | MatMul | BatchMatMulV2, which tf.matMul calls), interleaved, medians of nine:
 *
 *     rows, in, out     x Wᵀ              dy W              dyᵀ x
 *     1088, 64, 64       94 |  81 |  79    93 |  84 |  81    84 |  82 |  70
 *     1088, 64, 192      99 |  91 |  89   100 |  93 |  90    97 |  90 |  82
 *     1088, 64, 256     100 |  93 |  94    97 |  93 |  89    98 |  92 |  87
 *     1088, 256, 64     104 |  88 |  95   104 |  99 |  96    95 | 101 |  95
 *     2080, 192, 192    109 | 104 | 105   108 | 110 | 107   106 | 111 | 104
 *     2080, 192, 576    105 | 103 | 103   110 | 110 | 108   104 | 110 |  99
 *     2080, 192, 768     99 | 105 |  99   105 | 103 | 103    94 | 106 |  95
 *     2080, 768, 192    106 | 101 | 104   105 | 109 | 107    97 | 111 | 106
 *     2080, 384, 1152   106 | 108 | 103   107 | 110 | 106   105 | 114 | 105
 *     2080, 384, 1536   111 | 114 | 107   112 | 113 | 110   104 | 111 | 106
 *     2080, 1536, 384   111 | 108 | 108   105 | 108 | 104    91 | 112 | 102
 *
 * In bfloat16 ours gives 126 to 210 there, and TensorFlow nothing of the kind without casts.
 */
const oursIsFaster = (a: Tensor, b: Tensor, transposeA: boolean): boolean =>
  Math.min(...a.shape, ...b.shape) < (transposeA ? 192 : 384);

/** A product of two matrices [M, K] (or [K, M], transposed) and [K, N] (or [N, K]). Not on the tape: for gradients written by hand. */
export function multiply(tf: Tf, a: Tensor, b: Tensor, form: ProductForm = {}): Tensor {
  if (!hasNativeOperations(tf)) return multiplyDefinition(tf, a, b, form);
  const {transposeA = false, transposeB = false, precision = 'fp32'} = form;
  if (precision === 'bf16' || oursIsFaster(a, b, transposeA)) return multiplyNative(tf, a, b, form, precision);
  return callNativeSingle(tf, 'MatMul', [a, b], {
    booleans: {transpose_a: transposeA, transpose_b: transposeB},
    floats: ['T'],
  });
}
