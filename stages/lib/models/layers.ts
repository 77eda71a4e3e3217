import type {Tensor} from '@tensorflow/tfjs';
import {withHandGradient} from '../../tensor/fused/hand-gradient.ts';
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

/**
 * x Wᵀ (+ bias) (+ residual): x [N, in] → [N, out], residual [N, out].
 *
 * The gradient is written by hand because the derived one of each sum adds two reshapes, and an operation costs about
 * 20 µs on the host whatever its size.
 */
export function linear(tf: Tf, {weight, bias}: LinearParameters, x: Tensor, residual?: Tensor): Tensor {
  const addends = [bias, residual].filter((tensor) => tensor !== undefined);
  return withHandGradient(tf, [x, weight, ...addends], () => ({
    value: addends.reduce<Tensor>((sum, addend) => tf.add(sum, addend), tf.matMul(x, weight, false, true)),
    saved: [x, weight],
    gradient: (dy, saved) => [
      tf.matMul(dy, saved(1)),
      tf.matMul(dy, saved(0), true, false),
      ...(bias === undefined ? [] : [tf.sum(dy, 0)]),
      ...(residual === undefined ? [] : [tf.clone(dy)]),
    ],
  }));
}

/** The same for rows that nothing is to be derived by (pictures): the product for their gradient is never made. */
export function linearOfData(tf: Tf, {weight, bias}: LinearParameters, x: Tensor): Tensor {
  const product = tf.matMul(x, weight, false, true);
  return bias === undefined ? product : tf.add(product, bias);
}

/**
 * Layer normalisation of each row: (x − mean) / √(variance + eps) · weight + bias, variance biased; x [N, D] → [N, D].
 * The gradient is written by hand: with x̂ the normalised rows, g = dy · weight and means along the row,
 * dx = (g − mean(g) − x̂ · mean(g · x̂)) / √(variance + eps).
 */
export function layerNorm(tf: Tf, parameters: ParameterTensors, name: string, x: Tensor, eps: number): Tensor {
  const weight = parameterOf(parameters, `${name}.weight`);
  const bias = parameterOf(parameters, `${name}.bias`);
  return withHandGradient(tf, [x, weight, bias], () => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), eps));
    const normal = tf.mul(centred, inverse);
    return {
      value: tf.add(tf.mul(normal, weight), bias),
      saved: [normal, inverse, weight],
      gradient: (dy, saved) => {
        const [hat, scale, gain] = [saved(0), saved(1), saved(2)];
        const dyHat = tf.mul(dy, hat);
        const g = tf.mul(dy, gain);
        const along = tf.mul(hat, tf.mean(tf.mul(dyHat, gain), -1, true));
        const dx = tf.mul(tf.sub(tf.sub(g, tf.mean(g, -1, true)), along), scale);
        return [dx, tf.sum(dyHat, 0), tf.sum(dy, 0)];
      },
    };
  });
}
