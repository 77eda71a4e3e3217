import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {callNativeSingle, hasNativeOperations} from './native.ts';

/** How matrix products compute: in float32, or of operands rounded to bfloat16 with sums in float32. All else is float32 in both. */
export const PRECISIONS = ['fp32', 'bf16'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Which operands of a product are transposed first, and its precision (fp32). */
export interface ProductForm {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly precision?: Precision;
}

/** `Arithmetic` in native/product.h. */
const ARITHMETIC = {fp32: 0, bf16: 1, 'bf16 by emulated tiles': 2} as const;

/**
 * To the nearest bfloat16, ties to even, by Veltkamp's splitting (Dekker 1971, §5.6) with 2^16 + 1: a float32 has 24 bits, 16 of them
 * go. Exact for all of the 2^24 mantissas; beyond 5e33 the product overflows to what is not a number.
 */
function roundToBfloat16(tf: Tf, x: Tensor): Tensor {
  const scaled = tf.mul(x, 2 ** 16 + 1);
  return tf.sub(scaled, tf.sub(scaled, x));
}

/** A product of two matrices by TensorFlow.js. */
export function productDefinition(tf: Tf, a: Tensor, b: Tensor, form: ProductForm = {}): Tensor {
  const {transposeA = false, transposeB = false, precision = 'fp32'} = form;
  if (precision === 'fp32') return tf.matMul(a, b, transposeA, transposeB);
  return tf.tidy(() => tf.matMul(roundToBfloat16(tf, a), roundToBfloat16(tf, b), transposeA, transposeB));
}

/** The same by native/product.cc, in one of its forms of arithmetic. */
export function nativeProduct(
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

/** A product of two matrices [M, K] (or [K, M], transposed) and [K, N] (or [N, K]). Not on the tape: for gradients written by hand. */
export function product(tf: Tf, a: Tensor, b: Tensor, form: ProductForm = {}): Tensor {
  if (!hasNativeOperations(tf)) return productDefinition(tf, a, b, form);
  return nativeProduct(tf, a, b, form, form.precision ?? 'fp32');
}
