import type {Tensor} from '@tensorflow/tfjs';
import {withHandGradient} from '../../tensor/fused/hand-gradient.ts';
import type {Norm} from '../../tensor/fused/layer-norm.ts';
import {multiply, type Precision} from '../../tensor/fused/product.ts';
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

/** The three products of a linear layer: x Wᵀ, dx = dy W and dW = dyᵀ x. */
const productsOf = (tf: Tf, precision: Precision) => ({
  forward: (x: Tensor, weight: Tensor) => multiply(tf, x, weight, {transposeB: true, precision}),
  toRows: (dy: Tensor, weight: Tensor) => multiply(tf, dy, weight, {precision}),
  toWeight: (dy: Tensor, x: Tensor) => multiply(tf, dy, x, {transposeA: true, precision}),
});

/** x Wᵀ: x [N, in], W [out, in] → [N, out]. */
export function product(tf: Tf, x: Tensor, weight: Tensor, precision: Precision): Tensor {
  const {forward, toRows, toWeight} = productsOf(tf, precision);
  return withHandGradient(tf, [x, weight], () => ({
    value: forward(x, weight),
    saved: [x, weight],
    gradient: (dy, saved) => [toRows(dy, saved(1)), toWeight(dy, saved(0))],
  }));
}

/**
 * x Wᵀ (+ bias): x [N, in] → [N, out].
 *
 * The gradient is written by hand because the derived one of a sum adds two reshapes, and an operation costs about
 * 20 µs on the host whatever its size.
 */
export function linear(tf: Tf, {weight, bias}: LinearParameters, x: Tensor, precision: Precision): Tensor {
  if (bias === undefined) return product(tf, x, weight, precision);
  const {forward, toRows, toWeight} = productsOf(tf, precision);
  return withHandGradient(tf, [x, weight, bias], () => ({
    value: tf.add(forward(x, weight), bias),
    saved: [x, weight],
    gradient: (dy, saved) => [toRows(dy, saved(1)), toWeight(dy, saved(0)), tf.sum(dy, 0)],
  }));
}

/** The same for rows that nothing is to be derived by (pictures): the product for their gradient is never made. */
export function linearOfData(tf: Tf, {weight, bias}: LinearParameters, x: Tensor, precision: Precision): Tensor {
  const {forward, toWeight} = productsOf(tf, precision);
  const addends = bias === undefined ? [] : [bias];
  return withHandGradient(tf, [weight, ...addends], () => ({
    value: addends.reduce((sum, addend) => tf.add(sum, addend), forward(x, weight)),
    saved: [x],
    gradient: (dy, saved) => [toWeight(dy, saved(0)), ...addends.map(() => tf.sum(dy, 0))],
  }));
}

/** A layer normalisation's parameters, and its epsilon. */
export const normOf = (parameters: ParameterTensors, name: string, epsilon: number): Norm => ({
  gain: parameterOf(parameters, `${name}.weight`),
  shift: parameterOf(parameters, `${name}.bias`),
  epsilon,
});
