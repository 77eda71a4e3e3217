import type {NamedTensor} from '../../../src/artifact/kinds.ts';
import {deltaOf} from './thin.ts';

/** A denominator nearer to 0 than this gives no estimate, as in mergekit. */
const SINGULAR = 1e-6;

const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

function cosine(a: Float64Array, b: Float64Array): number {
  const norms = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  return norms === 0 ? 0 : Math.max(-1, Math.min(1, dot(a, b) / norms));
}

/** How far the base goes towards the mean of N networks whose changes have the mean pairwise cosine c; 0 where there is no estimate. */
function stockRatio(c: number, n: number): number {
  const denominator = 1 + (n - 1) * c;
  return Math.abs(denominator) < SINGULAR ? 0 : (n * c) / denominator;
}

/** t·mean(θᵢ) + (1 − t)·θ₀ of one tensor in float64, with t from the angles between the changes θᵢ − θ₀; at least two networks. */
export function modelStock({values: base}: NamedTensor, tensors: readonly Float32Array[]): Float32Array {
  const deltas = tensors.map((values) => deltaOf(values, base));
  const cosines = deltas.flatMap((delta, index) => deltas.slice(index + 1).map((other) => cosine(delta, other)));
  const c = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
  const t = stockRatio(c, deltas.length);
  return base.map((start, index) => {
    const mean = deltas.reduce((sum, delta) => sum + (delta[index] ?? 0), 0) / deltas.length;
    return start + t * mean;
  });
}
