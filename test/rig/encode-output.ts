import {readFileSync} from 'node:fs';
import {encodeArtifact} from '../../src/artifact/encode.ts';
import {isCandidate, type OutputDeclaration, type OutputsByName} from '../../src/stage/define-stage.ts';

/** The bytes that a worker would store for an output of a built-in stage. */
export function encodeOutput({kind, columns}: OutputDeclaration, value: OutputsByName[string]): Uint8Array {
  if (value === undefined || isCandidate(value)) throw new Error('this output has no bytes of its own');
  if (kind === 'file' && 'path' in value) return readFileSync(value.path);
  if (kind === 'file' || 'path' in value) throw new Error('an output of kind file is given as a path');
  return encodeArtifact({kind, ...(columns && {columns})}, value);
}
