import type {Mask} from '../../../src/artifact/kinds.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {sameShape} from '../training/parameter-layout.ts';

/** What two masks say of one tensor, a bit a weight. */
export interface MaskPair {
  readonly name: string;
  readonly shape: readonly number[];
  readonly a: Uint8Array;
  readonly b: Uint8Array;
}

/**
 * Two masks side by side, sorted by name; a mask keeps a tensor whole that it does not name.
 *
 * @throws StageError when a tensor has two shapes, or two masks that name tensors share none.
 */
export function pairMasks(a: Mask, b: Mask): readonly MaskPair[] {
  const byName = ({tensors}: Mask) => new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const [inA, inB] = [byName(a), byName(b)];
  const names = [...new Set([...a.tensors, ...b.tensors].map(({name}) => name))].sort();
  if (a.tensors.length > 0 && b.tensors.length > 0 && !names.some((name) => inA.has(name) && inB.has(name))) {
    throw new StageError(
      `The masks share no tensor: the first names ${shown(a)}, the second ${shown(b)}.`,
      'Take both from the same architecture.',
    );
  }
  return names.map((name) => {
    const [one, other] = [inA.get(name), inB.get(name)];
    const {shape, bits} = one ?? other ?? {shape: [], bits: new Uint8Array()};
    if (one && other && !sameShape(one.shape, other.shape)) {
      throw new StageError(
        `The masks do not fit each other: ${name} is [${one.shape.join(', ')}] in the first and [${other.shape.join(', ')}] in the second.`,
        'Take both from the same architecture.',
      );
    }
    const whole = new Uint8Array(bits.length).fill(1);
    return {name, shape, a: one?.bits ?? whole, b: other?.bits ?? whole};
  });
}

const shown = ({tensors}: Mask): string =>
  `${tensors[0]?.name}${tensors.length > 1 ? ` and ${tensors.length - 1} more` : ''}`;
