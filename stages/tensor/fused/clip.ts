import type {Scalar, Tensor1D} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {callNativeSingle, hasNativeOperations} from './native.ts';

/** The factor of torch's clip_grad_norm_, from the gradient's L2 norm: min(1, limit / (norm + 1e-6)). */
const factorOf = (tf: Tf, norm: Scalar, limit: number): Scalar => tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1);

/** What a gradient is multiplied by so that its L2 norm is at most `limit`, by TensorFlow.js. */
export const clipFactorDefinition = (tf: Tf, gradient: Tensor1D, limit: number): Scalar =>
  factorOf(tf, tf.sqrt(tf.sum(tf.square(gradient))).asScalar(), limit);

/** The same, its norm by one native pass in float64 where the addon has it. */
export const clipFactor = (tf: Tf, gradient: Tensor1D, limit: number): Scalar =>
  hasNativeOperations(tf)
    ? factorOf(tf, callNativeSingle(tf, 'BasinNorm', [gradient]).asScalar(), limit)
    : clipFactorDefinition(tf, gradient, limit);

/** A gradient whose L2 norm is at most `limit`; itself when that is null. */
export const clipped = (tf: Tf, gradient: Tensor1D, limit: number | null): Tensor1D =>
  limit === null ? gradient : tf.mul(gradient, clipFactor(tf, gradient, limit));
