import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';
import {withHandGradient} from './hand-gradient.ts';
import type {ParameterTensors} from './model.ts';

/** A parameter that the model declared, so that its absence is our own fault. */
export function parameterOf(parameters: ParameterTensors, name: string): Tensor {
  const tensor = parameters[name];
  if (tensor === undefined) throw new Error(`Internal error: the model was called without its parameter ${name}`);
  return tensor;
}

/** y = x Wᵀ (+ b): x [N, in], `name.weight` [out, in], `name.bias` [out] where the model has one → [N, out]. */
export function linear(tf: Tf, parameters: ParameterTensors, name: string, x: Tensor): Tensor {
  const product = tf.matMul(x, parameterOf(parameters, `${name}.weight`), false, true);
  const bias = parameters[`${name}.bias`];
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
