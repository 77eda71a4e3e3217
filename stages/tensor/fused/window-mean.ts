import type {Scalar, Tensor1D} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {callNativeSingle, hasNativeOperations} from './native.ts';

/** What a step of PLATON's window is made of. */
interface WindowStep {
  /** Mean of the sensitivity so far, one number for each weight that can be pruned. */
  readonly window: Tensor1D;
  /** All parameters, and their gradient as the optimizer got it; what can be pruned is their front. */
  readonly weights: Tensor1D;
  readonly gradient: Tensor1D;
  /** The step's number mod ΔT: how many steps the window has already. */
  readonly place: Scalar;
}

/**
 * The window's mean after one more step, (place · window + |θ·∇L|) / (place + 1), as PLATON's published code has it (docs/science/pruning.md;
 * Pruner.py at c1776cf), by TensorFlow.js. At place 0 a new window starts with this step; a finite mean then leaves no trace.
 */
export function windowMeanDefinition(tf: Tf, {window, weights, gradient, place}: WindowStep): Tensor1D {
  const {size} = window;
  const sensitivity = tf.abs(tf.mul(weights.slice(0, size), gradient.slice(0, size)));
  return tf.div(tf.add(tf.mul(window, place), sensitivity), tf.add(place, 1));
}

/** The window's mean after one more step. One native pass, for any length. */
export function windowMean(tf: Tf, step: WindowStep): Tensor1D {
  if (!hasNativeOperations(tf)) return windowMeanDefinition(tf, step);
  const {window, weights, gradient, place} = step;
  return callNativeSingle(tf, 'BasinWindowMean', [window, weights, gradient, place]).as1D();
}
