import {canonicalJson} from '../base/canonical-json.ts';
import {writeArrowFile} from './arrow-file.ts';
import {ArtifactError} from './artifact-error.ts';
import type {Weights} from './kinds.ts';
import {littleEndian} from './little-endian.ts';
import {bytesCell, shapeCell, sortedTensors, textCell, WEIGHTS_FIELDS} from './tensor-columns.ts';

/** As in the `dtype` column; the only one so far. */
export const FLOAT32 = 'float32';

/** One record batch per tensor, sorted by name, so that one tensor can be read without the others. */
export function encodeWeights({model, preprocessor, tensors}: Weights): Uint8Array {
  const batches = sortedTensors(tensors, ({values}) => values.length).map(({name, shape, values}) => {
    const at = firstNonFinite(values);
    if (at !== undefined)
      throw new ArtifactError(
        `Tensor "${name}" holds ${values[at]} at index ${at}, so these weights are of no use.`,
        'Training diverged: lower the learning rate, warm up longer, or clip gradients.',
      );
    return {
      rows: 1,
      columns: [textCell(name), textCell(FLOAT32), shapeCell(shape), bytesCell(littleEndian(values))],
    };
  });
  return writeArrowFile(
    'weights',
    WEIGHTS_FIELDS(),
    batches,
    new Map([
      ['model', canonicalJson(model)],
      ['preprocessor', canonicalJson(preprocessor)],
    ]),
  );
}

function firstNonFinite(values: Float32Array): number | undefined {
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) return index;
  return undefined;
}
