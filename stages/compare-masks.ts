import {z} from 'zod';
import type {Mask} from '../src/artifact/kinds.ts';
import {defineStage} from '../src/stage/define-stage.ts';
import {type MaskPair, pairMasks} from './lib/pruning/pair-masks.ts';

/** How many of a stretch of weights two masks keep. */
interface Counts {
  readonly size: number;
  readonly kept_a: number;
  readonly kept_b: number;
  readonly union: number;
  readonly intersection: number;
  /** Expected of an intersection of masks with these counts at independent places. */
  readonly expected: number;
}

function count({a, b}: MaskPair): Counts {
  let [keptA, keptB, intersection] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const [inA, inB] = [a[index] ?? 0, b[index] ?? 0];
    keptA += inA;
    keptB += inB;
    intersection += inA & inB;
  }
  const expected = a.length === 0 ? 0 : (keptA * keptB) / a.length;
  return {size: a.length, kept_a: keptA, kept_b: keptB, union: keptA + keptB - intersection, intersection, expected};
}

const NOTHING: Counts = {size: 0, kept_a: 0, kept_b: 0, union: 0, intersection: 0, expected: 0};

const add = (one: Counts, other: Counts): Counts => ({
  size: one.size + other.size,
  kept_a: one.kept_a + other.kept_a,
  kept_b: one.kept_b + other.kept_b,
  union: one.union + other.union,
  intersection: one.intersection + other.intersection,
  expected: one.expected + other.expected,
});

/** Two empty sets are equal. */
const jaccard = (intersection: number, union: number): number => (union === 0 ? 1 : intersection / union);

const rowOf = (tensor: string, {expected, ...counts}: Counts) => ({
  tensor,
  ...counts,
  jaccard: jaccard(counts.intersection, counts.union),
  jaccard_random: jaccard(expected, counts.kept_a + counts.kept_b - expected),
});

const maskWhere = (pairs: readonly MaskPair[], keeps: (inA: number, inB: number) => number): Mask => ({
  tensors: pairs.map(({name, shape, a, b}) => ({name, shape, bits: a.map((bit, index) => keeps(bit, b[index] ?? 0))})),
});

export default defineStage({
  name: 'compare-masks',
  version: 1,
  doc: 'How far two masks keep the same weights, tensor by tensor and as a whole, with their union and intersection.',
  params: z.strictObject({}),
  inputs: {
    a: {kind: 'mask', doc: 'A mask.'},
    b: {
      kind: 'mask',
      doc: 'A mask of the same architecture; a tensor that only one of the two names is kept whole by the other.',
    },
  },
  outputs: {
    summary: {
      kind: 'summary',
      doc: 'A row for the whole, `(all)`, and for each tensor; jaccard is intersection by union, and jaccard_random that of masks with the same counts at independent places.',
      apart: ['tensor'],
      columns: {
        tensor: 'utf8',
        size: 'int32',
        kept_a: 'int32',
        kept_b: 'int32',
        union: 'int32',
        intersection: 'int32',
        jaccard: 'float64',
        jaccard_random: 'float64',
      },
    },
    union: {kind: 'mask', doc: 'Keeps what either keeps: all that a mixture of the two networks can hold.'},
    intersection: {kind: 'mask', doc: 'Keeps what both keep.'},
  },
  computes: 'plain',
  async run({inputs}) {
    const pairs = pairMasks(inputs.a, inputs.b);
    const counts = pairs.map((pair) => ({name: pair.name, counts: count(pair)}));
    const whole = counts.reduce((sum, {counts: own}) => add(sum, own), NOTHING);
    return {
      summary: [rowOf('(all)', whole), ...counts.map(({name, counts: own}) => rowOf(name, own))],
      union: maskWhere(pairs, (inA, inB) => inA | inB),
      intersection: maskWhere(pairs, (inA, inB) => inA & inB),
    };
  },
});
