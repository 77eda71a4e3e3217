import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';

/** Something to compute on two back ends. `avoided` marks what basin's own stages do without. */
export interface Case {
  readonly name: string;
  readonly avoided?: true;
  compute(tf: Tf): Tensor | readonly Tensor[];
}

/** Values in ±1.5 that differ from place to place and are the same everywhere: no random numbers, no two alike. */
export function values(tf: Tf, shape: readonly number[], seed = 1): Tensor {
  const size = shape.reduce((all, length) => all * length, 1);
  const data = Float32Array.from({length: size}, (_, i) => 1.5 * Math.sin(12.9898 * (i + 1) + 78.233 * seed));
  return tf.tensor(data, [...shape], 'float32');
}

/** The same between 0.5 and 2, for logarithms, roots and divisors. */
export const positive = (tf: Tf, shape: readonly number[], seed = 1): Tensor => values(tf, shape, seed).abs().add(0.5);

/** Value of f at its inputs, and the gradients of a weighted sum of it: weights keep a symmetric fault from cancelling. */
export function withGradients(
  tf: Tf,
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
): readonly Tensor[] {
  const value = f(...inputs);
  const weights = values(tf, value.shape, 99);
  const scalar = (...xs: Tensor[]): Tensor =>
    f(...xs)
      .mul(weights)
      .sum();
  return [value, ...tf.grads(scalar)([...inputs])];
}
