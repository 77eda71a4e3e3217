import {selectExactly} from '../pruning/selection.ts';

/** How many of n changes a density keeps: trunc(density · n), but one where that is none and the density is not 0. */
const keptCount = (density: number, n: number): number =>
  density === 0 ? 0 : Math.max(Math.min(n, 1), Math.trunc(density * n));

/** One bit for each change: 1 for those of largest magnitude, compared in float32, the first of equal ones. */
export function largest(delta: Float64Array, density: number): Uint8Array {
  const magnitudes = Float32Array.from(delta, Math.abs);
  return selectExactly(magnitudes, keptCount(density, delta.length)).bits;
}

/** The changes whose bit is 1; the others are 0. */
export const keptOf = (delta: Float64Array, bits: Uint8Array): Float64Array =>
  delta.map((change, index) => (bits[index] === 1 ? change : 0));

/** θ − θ₀ in float64, where it is exact for weights of like size: a base with its only change is the network itself. */
export const deltaOf = (values: Float32Array, base: Float32Array): Float64Array =>
  Float64Array.from(values, (value, index) => value - (base[index] ?? 0));
