import {digestOf} from '../../../src/base/digest.ts';
import {fillUniform} from '../random/normal.ts';
import type {ParameterLayout} from '../training/parameter-layout.ts';

/** A number for each prunable weight, uniform and drawn once from (seed, tensor name, index). */
export function randomScores({entries, prunable}: ParameterLayout, seed: number): Float32Array {
  const scores = new Float32Array(prunable);
  for (const {name, offset, size} of entries.filter((entry) => entry.prunable)) {
    // not the digest of the name alone, under which random-mask draws
    const digest = digestOf(`score of ${name}`);
    const [epoch, sample] = [0, 8].map((start) => Number.parseInt(digest.slice(start, start + 8), 16));
    const place = {seed, stream: 'mask', epoch: epoch ?? 0, sample: sample ?? 0} as const;
    fillUniform(scores.subarray(offset, offset + size), place, 1);
  }
  return scores;
}
