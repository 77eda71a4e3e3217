import {digestOf} from '../../../src/base/digest.ts';
import {philox4x32, STREAM} from '../random/philox.ts';

/** A norm below this rescales nothing, as in mergekit. */
const SMALLEST_NORM = 1e-7;

/** How what DARE leaves makes up for what it drops: to the same L1 norm, by 1 / density, or not at all. */
export const RESCALES = ['l1', 'density', 'none'] as const;
type Rescale = (typeof RESCALES)[number];

const wordOf = (text: string): number => Number.parseInt(digestOf(text).slice(0, 8), 16);

/** Keeps each change with probability `density`, by a draw of its own from (seed, network, tensor, place). */
export function drop(
  delta: Float64Array,
  density: number,
  {seed, model, tensor}: {readonly seed: number; readonly model: string; readonly tensor: string},
): Float64Array {
  if (density >= 1) return delta;
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32)] as const;
  const [network, name] = [wordOf(model), wordOf(tensor)];
  const words = new Uint32Array(4);
  const threshold = density * 2 ** 32;
  return delta.map((change, index) => {
    if (index % 4 === 0) philox4x32(key, [index / 4, name, network, STREAM.drop], words);
    return (words[index % 4] ?? 0) < threshold ? change : 0;
  });
}

const norm1 = (values: Float64Array): number => values.reduce((sum, value) => sum + Math.abs(value), 0);

/** The changes that were kept, made as large as all of them were. */
export function rescale(kept: Float64Array, delta: Float64Array, density: number, rule: Rescale): Float64Array {
  switch (rule) {
    case 'none':
      return kept;
    case 'density':
      return density === 0 ? kept : kept.map((change) => change / density);
    case 'l1': {
      const [before, after] = [norm1(delta), norm1(kept)];
      return before < SMALLEST_NORM || after < SMALLEST_NORM ? kept : kept.map((change) => change * (before / after));
    }
  }
}
