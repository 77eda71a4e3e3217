import {ArtifactError} from './artifact-error.ts';
import {encodeMask} from './encode-mask.ts';
import {encodeTable} from './encode-table.ts';
import {encodeWeights} from './encode-weights.ts';
import {type ArrowKind, type ArtifactValues, type Columns, isTableKind} from './kinds.ts';

/** As much of a stage's output declaration as decides its bytes. */
export interface ArtifactOutput<K extends ArrowKind = ArrowKind> {
  readonly kind: K;
  readonly columns?: Columns;
}

/**
 * The Arrow IPC file of a value: equal values give equal bytes, on every machine.
 *
 * @throws ArtifactError for a value of another kind, non-finite weights, NaN or missing cells, cells that are no column.
 */
export function encodeArtifact<K extends ArrowKind>(output: ArtifactOutput<K>, value: ArtifactValues[K]): Uint8Array {
  const {kind} = output;
  const given: ArtifactValues[ArrowKind] = value;
  if (isTableKind(kind)) {
    if (!Array.isArray(given)) throw wrongKind(kind);
    return encodeTable(output.columns === undefined ? {kind} : {kind, columns: output.columns}, given);
  }
  // The types of a stage outside this repository may be lies, so the value is looked at.
  if (typeof given !== 'object' || given === null || Array.isArray(given) || !('tensors' in given))
    throw wrongKind(kind);
  switch (kind) {
    case 'weights':
      if (!('model' in given)) throw wrongKind(kind);
      return encodeWeights(given);
    case 'mask':
      if ('model' in given) throw wrongKind(kind);
      return encodeMask(given);
    default:
      throw new Error(`Internal error: no encoder for ${kind}`);
  }
}

const wrongKind = (kind: ArrowKind): ArtifactError =>
  new ArtifactError(
    `The stage declares an output of kind ${kind} and gave something else.`,
    'Look at what its `run` returns and at `outputs` in its declaration.',
  );
