import {decodeTable} from './decode-table.ts';
import {decodeMask, decodeWeights} from './decode-tensors.ts';
import type {ArrowKind, ArtifactValues} from './kinds.ts';
import {type ArrowFile, guarded, readArrowFile} from './read-arrow-file.ts';

const DECODERS: {readonly [K in ArrowKind]: (file: ArrowFile) => ArtifactValues[K]} = {
  weights: decodeWeights,
  mask: decodeMask,
  metrics: (file) => decodeTable('metrics', file),
  evals: (file) => decodeTable('evals', file),
  points: (file) => decodeTable('points', file),
  examples: (file) => decodeTable('examples', file),
  summary: (file) => decodeTable('summary', file),
};

/**
 * The value in an artifact's file. Weights are views on `bytes` and keep them alive; nothing may write to either.
 *
 * @param name how messages call the file, such as `the mask of platon-prune[keep=0.2]`.
 * @throws ArtifactError when the bytes are cut, foreign, of another kind or of another format.
 */
export function decodeArtifact<K extends ArrowKind>(
  kind: K,
  bytes: Uint8Array,
  name = 'The artifact',
): ArtifactValues[K] {
  return guarded(name, () => DECODERS[kind](readArrowFile(kind, bytes, name)));
}
