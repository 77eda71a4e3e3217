import {divisorOf} from './linear.ts';

export interface Combination {
  /** Weight of each network's changes. */
  readonly weights: readonly number[];
  /** λ, by which the merged change is multiplied. */
  readonly lambda: number;
  /** Whether the sum is divided by the weights of those that are in it. */
  readonly normalize: boolean;
  /** Whether each weight's sign is elected, and only changes of that sign are in the sum (TIES). */
  readonly elect: boolean;
}

/**
 * θ₀ + λ · Σ wᵢ δᵢ in float64, rounded once. With `elect`, the sign of a weight is that of Σ wᵢ δᵢ, plus for 0, and only changes wᵢ δᵢ of that
 * sign are in the sum; one that is 0 has no sign.
 */
export function combine(base: Float32Array, deltas: readonly Float64Array[], combination: Combination): Float32Array {
  const {weights, lambda, normalize, elect} = combination;
  return base.map((start, index) => {
    const changes = deltas.map((delta, model) => (weights[model] ?? 0) * (delta[index] ?? 0));
    const all = changes.reduce((sum, change) => sum + change, 0);
    const sign = all >= 0 ? 1 : -1;
    let merged = 0;
    let weight = 0;
    changes.forEach((change, model) => {
      if (elect && Math.sign(change) !== sign) return;
      merged += change;
      weight += weights[model] ?? 0;
    });
    return start + lambda * (normalize ? merged / divisorOf(weight) : merged);
  });
}
