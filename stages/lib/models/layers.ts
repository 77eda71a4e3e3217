import type {Tensor} from '@tensorflow/tfjs';
import {withHandGradient} from '../../tensor/fused/hand-gradient.ts';
import type {Norm} from '../../tensor/fused/layer-norm.ts';
import type {Tf} from '../../tensor/library.ts';
import type {ParameterTensors} from './model.ts';

/** A parameter that the model declared, so that its absence is our own fault. */
export function parameterOf(parameters: ParameterTensors, name: string): Tensor {
  const tensor = parameters[name];
  if (tensor === undefined) throw new Error(`Internal error: the model was called without its parameter ${name}`);
  return tensor;
}

/** A linear layer's weight [out, in], and its bias [out] where it has one. */
export interface LinearParameters {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

export const linearParameters = (parameters: ParameterTensors, name: string): LinearParameters => ({
  weight: parameterOf(parameters, `${name}.weight`),
  bias: parameters[`${name}.bias`],
});

/** x Wᵀ: x [N, in], W [out, in] → [N, out]. */
export function product(tf: Tf, x: Tensor, weight: Tensor): Tensor {
  return withHandGradient(tf, [x, weight], () => ({
    value: tf.matMul(x, weight, false, true),
    saved: [x, weight],
    gradient: (dy, saved) => [tf.matMul(dy, saved(1)), tf.matMul(dy, saved(0), true, false)],
  }));
}

/**
 * x Wᵀ (+ bias): x [N, in] → [N, out].
 *
 * The gradient is written by hand because the derived one of a sum adds two reshapes, and an operation costs about
 * 20 µs on the host whatever its size.
 */
export function linear(tf: Tf, {weight, bias}: LinearParameters, x: Tensor): Tensor {
  if (bias === undefined) return product(tf, x, weight);
  return withHandGradient(tf, [x, weight, bias], () => ({
    value: tf.add(tf.matMul(x, weight, false, true), bias),
    saved: [x, weight],
    gradient: (dy, saved) => [tf.matMul(dy, saved(1)), tf.matMul(dy, saved(0), true, false), tf.sum(dy, 0)],
  }));
}

/** The same for rows that nothing is to be derived by (pictures): the product for their gradient is never made. */
export function linearOfData(tf: Tf, {weight, bias}: LinearParameters, x: Tensor): Tensor {
  const rows = tf.matMul(x, weight, false, true);
  return bias === undefined ? rows : tf.add(rows, bias);
}

/** A layer normalisation's parameters, and its epsilon. */
export const normOf = (parameters: ParameterTensors, name: string, epsilon: number): Norm => ({
  gain: parameterOf(parameters, `${name}.weight`),
  shift: parameterOf(parameters, `${name}.bias`),
  epsilon,
});
