/** Units of one kind, attention heads or neurons, of all layers: unit u of layer l has the place l · perLayer + u. */
export interface Units {
  readonly layers: number;
  readonly perLayer: number;
  /** For each batch the derivative of its loss by each unit's mask, [layers · perLayer]. */
  readonly gradients: readonly Float64Array[];
  /** Multiply-accumulates of one unit for one picture. */
  readonly macs: number;
}

/** One bit for each unit: 1 where it stays. */
export interface StructuredMask {
  readonly heads: Uint8Array;
  readonly neurons: Uint8Array;
}

/** The Fisher information's diagonal: squared derivatives, summed over batches (Kwon et al. 2022). */
export function fisher({layers, perLayer, gradients}: Units): Float64Array {
  const sums = new Float64Array(layers * perLayer);
  for (const gradient of gradients)
    for (const [unit, value] of gradient.entries()) sums[unit] = (sums[unit] ?? 0) + value ** 2;
  return sums;
}

/** Places by importance, the highest first; of equal ones the first. */
const ranked = (importance: Float64Array): number[] =>
  [...importance.keys()].sort((a, b) => (importance[b] ?? 0) - (importance[a] ?? 0));

function bitsOf(places: readonly number[], size: number): Uint8Array {
  const bits = new Uint8Array(size);
  for (const place of places) bits[place] = 1;
  return bits;
}

/**
 * The heads and neurons of highest total importance within a budget of multiply-accumulates: for every number of heads from 1 on, the best heads
 * and as many of the best neurons as are left room for; of equal totals the fewer heads. One head may be more than the budget.
 */
export function searchMask(heads: Units, neurons: Units, budget: number): StructuredMask {
  const [ofHeads, ofNeurons] = [fisher(heads), fisher(neurons)];
  const [headOrder, neuronOrder] = [ranked(ofHeads), ranked(ofNeurons)];
  const totals = [0];
  for (const place of neuronOrder) totals.push((totals.at(-1) ?? 0) + (ofNeurons[place] ?? 0));
  let best = {total: Number.NEGATIVE_INFINITY, heads: 0, neurons: 0};
  let important = 0;
  for (const [index, place] of headOrder.entries()) {
    important += ofHeads[place] ?? 0;
    const room = Math.trunc((budget - (index + 1) * heads.macs) / neurons.macs);
    const kept = Math.min(Math.max(0, room), neuronOrder.length);
    const total = important + (totals[kept] ?? 0);
    if (total > best.total) best = {total, heads: index + 1, neurons: kept};
  }
  return {
    heads: bitsOf(headOrder.slice(0, best.heads), headOrder.length),
    neurons: bitsOf(neuronOrder.slice(0, best.neurons), neuronOrder.length),
  };
}
