/** A sum of weights nearer to 0 than this divides nothing, as in mergekit. */
const SMALLEST_DIVISOR = 1e-8;

/** What a weighted sum is divided by when it is normalised. */
export const divisorOf = (sum: number): number => (Math.abs(sum) < SMALLEST_DIVISOR ? 1 : sum);

/** Σ wᵢ·θᵢ in float64, divided by Σ wᵢ when `normalize` says so. */
export function linear(tensors: readonly Float32Array[], weights: readonly number[], normalize: boolean): Float32Array {
  const divisor = normalize ? divisorOf(weights.reduce((sum, weight) => sum + weight, 0)) : 1;
  const result = new Float32Array(tensors[0]?.length ?? 0);
  for (let index = 0; index < result.length; index++) {
    let sum = 0;
    tensors.forEach((values, model) => {
      sum += (weights[model] ?? 0) * (values[index] ?? 0);
    });
    result[index] = sum / divisor;
  }
  return result;
}
