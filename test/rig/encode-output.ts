import {encodeArtifact} from '../../src/artifact/encode.ts';
import {isCandidate, type OutputDeclaration, type OutputsByName} from '../../src/stage/define-stage.ts';

/** The bytes that a worker would store for an output of a built-in stage; none of them gives files. */
export function encodeOutput({kind, columns}: OutputDeclaration, value: OutputsByName[string]): Uint8Array {
  if (kind === 'file' || value === undefined || 'path' in value || isCandidate(value))
    throw new Error('no built-in stage gives files');
  return encodeArtifact({kind, ...(columns && {columns})}, value);
}
