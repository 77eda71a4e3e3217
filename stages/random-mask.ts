import {z} from 'zod';
import type {Mask} from '../src/artifact/kinds.ts';
import {digestOf} from '../src/base/digest.ts';
import {defineStage} from '../src/stage/define-stage.ts';
import {permutation} from './lib/data/permutation.ts';

/** A mask that keeps as many weights of each tensor as `mask` does, at places drawn from (seed, tensor name). */
export function shuffledMask(mask: Mask, seed: number): Mask {
  return {
    tensors: mask.tensors.map(({name, shape, bits}) => {
      const kept = bits.reduce((sum, bit) => sum + bit, 0);
      // draws the rarer kind, so that a sparse mask of a large tensor is quick
      const rare = kept * 2 <= bits.length ? 1 : 0;
      const count = rare === 1 ? kept : bits.length - kept;
      const shuffled = new Uint8Array(bits.length).fill(1 - rare);
      const tensor = Number.parseInt(digestOf(name).slice(0, 8), 16);
      for (const index of permutation(bits.length, seed, 'mask', tensor, count)) shuffled[index] = rare;
      return {name, shape, bits: shuffled};
    }),
  };
}

export default defineStage({
  name: 'random-mask',
  version: 1,
  doc: 'The control of pruning: a mask with the same number of weights in each tensor, at random places.',
  params: z.strictObject({seed: z.int().min(0).default(0).describe('Decides the places.')}),
  inputs: {mask: {kind: 'mask', doc: 'The mask whose counts are kept.'}},
  outputs: {mask: {kind: 'mask', doc: 'The random mask.'}},
  computes: 'plain',
  run: async ({params, inputs}) => ({mask: shuffledMask(inputs.mask, params.seed)}),
});
