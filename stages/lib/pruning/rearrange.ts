import {fisher, type Units} from './structured-search.ts';

/** Σ over batches of (sum − gradient of one unit)², the loss that is left when that unit stays after all. */
const without = (sums: Float64Array, gradients: readonly Float64Array[], unit: number): number =>
  sums.reduce((total, sum, batch) => total + (sum - (gradients[batch]?.[unit] ?? 0)) ** 2, 0);

/** Which units of one layer are removed, given how many, by the layer's block of the Fisher information. */
function removedOf(units: Units, layer: number, count: number, importance: Float64Array): readonly number[] {
  const {perLayer, gradients} = units;
  const ascending = Array.from({length: perLayer}, (_, unit) => layer * perLayer + unit).sort(
    (a, b) => (importance[a] ?? 0) - (importance[b] ?? 0),
  );
  const removed = ascending.slice(0, count);
  const sums = Float64Array.from(gradients, (gradient) =>
    removed.reduce((sum, unit) => sum + (gradient[unit] ?? 0), 0),
  );
  for (const candidate of ascending.slice(count)) {
    removed.push(candidate);
    for (const [batch, gradient] of gradients.entries()) sums[batch] = (sums[batch] ?? 0) + (gradient[candidate] ?? 0);
    let [place, least] = [0, Number.POSITIVE_INFINITY];
    for (const [index, unit] of removed.entries()) {
      const left = without(sums, gradients, unit);
      if (left < least) [place, least] = [index, left];
    }
    const [kept = candidate] = removed.splice(place, 1);
    for (const [batch, gradient] of gradients.entries()) sums[batch] = (sums[batch] ?? 0) - (gradient[kept] ?? 0);
  }
  return removed;
}

/**
 * Rearranges a mask layer by layer, counts kept: every other unit in ascending importance changes places with the removed one without which
 * Σ over batches of (Σ over the removed of their gradients)² is smallest (Kwon et al. 2022, §4.2).
 */
export function rearrange(units: Units, bits: Uint8Array): Uint8Array {
  const {layers, perLayer} = units;
  const importance = fisher(units);
  const result = new Uint8Array(bits.length).fill(1);
  for (let layer = 0; layer < layers; layer++) {
    const own = bits.subarray(layer * perLayer, (layer + 1) * perLayer);
    const count = own.reduce((sum, bit) => sum + 1 - bit, 0);
    if (count === 0) continue;
    for (const unit of removedOf(units, layer, count, importance)) result[unit] = 0;
  }
  return result;
}
