import {createHash} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {cpuFlags} from '../machine.ts';

const FOLDER = join(import.meta.dirname, 'native');

const filesOf = (extension: string): readonly string[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => join(FOLDER, name));

/** Our operations' sources, each a compiler run of its own. */
export const operationSources = (): readonly string[] => filesOf('.cc');

let digest: string | undefined;

/** Digest of our operations' sources, names and texts. */
export function operationsDigest(): string {
  if (digest) return digest;
  const hash = createHash('sha256');
  for (const path of [...filesOf('.h'), ...operationSources()]) {
    const text = readFileSync(path);
    hash.update(`${basename(path)} ${text.length}\n`).update(text);
  }
  digest = hash.digest('hex');
  return digest;
}

const NEEDED = ['avx512f', 'avx512dq'];

/** Why our operations cannot run on this processor, or nothing: they compute on vectors of 64 bytes. */
export const operationsObstacle = (): string | undefined =>
  NEEDED.every((flag) => cpuFlags().includes(flag)) ? undefined : 'this processor has no AVX-512';
