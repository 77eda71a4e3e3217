import {writeArrowFile} from './arrow-file.ts';
import {ArtifactError} from './artifact-error.ts';
import type {Mask} from './kinds.ts';
import {packBits} from './mask-bits.ts';
import {bytesCell, MASK_FIELDS, shapeCell, sortedTensors, textCell} from './tensor-columns.ts';

/** One record batch per tensor, sorted by name, as weights are. */
export function encodeMask({tensors}: Mask): Uint8Array {
  const batches = sortedTensors(tensors, ({bits}) => bits.length).map(({name, shape, bits}) => {
    const wrong = bits.findIndex((bit) => bit > 1);
    if (wrong >= 0)
      throw new ArtifactError(
        `The mask of tensor "${name}" holds ${bits[wrong]} at index ${wrong}; only 0 and 1 can be.`,
      );
    return {rows: 1, columns: [textCell(name), shapeCell(shape), bytesCell(packBits(bits))]};
  });
  return writeArrowFile('mask', MASK_FIELDS(), batches);
}
