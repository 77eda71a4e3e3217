import type {Mask} from '../../../src/artifact/kinds.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {ParameterLayout} from '../training/parameter-layout.ts';
import {pruneByMagnitude} from './magnitude.ts';
import type {MagnitudeRule} from './magnitude-rule.ts';
import {bitsOf, maskOf} from './masks.ts';

/**
 * One bit for each parameter of the layout, all 1 without a mask.
 *
 * @throws StageError when the mask is of weights that cannot be pruned.
 */
export function bitsBefore(layout: ParameterLayout, mask: Mask | undefined): Uint8Array {
  if (mask === undefined) return new Uint8Array(layout.size).fill(1);
  const fixed = new Set(layout.entries.flatMap(({name, prunable}) => (prunable ? [] : [name])));
  const strange = mask.tensors.find(({name}) => fixed.has(name));
  if (!strange) return bitsOf(layout, mask);
  throw new StageError(
    `The mask names ${strange.name}, which cannot be pruned here.`,
    'Give the same `prunable` as the stage that made the mask.',
  );
}

/** The mask after one more round of pruning by magnitude. */
export function nextMask(layout: ParameterLayout, flat: Float32Array, bits: Uint8Array, rule: MagnitudeRule): Mask {
  const prunable = layout.entries.filter((entry) => entry.prunable);
  const tensors = prunable.map(({name, offset, size}) => ({
    name,
    values: flat.subarray(offset, offset + size),
    bits: bits.subarray(offset, offset + size),
  }));
  const next = new Uint8Array(layout.prunable);
  pruneByMagnitude(tensors, rule).forEach((pruned, place) => {
    next.set(pruned, prunable[place]?.offset);
  });
  return maskOf(layout, next);
}
