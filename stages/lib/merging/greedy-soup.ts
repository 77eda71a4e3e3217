/** By accuracy, the best first; of equal ones the later first, as in `main.py` of model-soups, which sorts upwards and turns round. */
export const bestFirst = <T extends {readonly accuracy: number}>(candidates: readonly T[]): readonly T[] =>
  candidates.toSorted((a, b) => a.accuracy - b.accuracy).reverse();

/** The mean of n + 1 networks, from that of n and one more: soup · n/(n + 1) + added / (n + 1), in float64. */
export const withIngredient = (soup: Float32Array, n: number, added: Float32Array): Float32Array =>
  added.map((value, index) => (n / (n + 1)) * (soup[index] ?? 0) + (1 / (n + 1)) * value);
