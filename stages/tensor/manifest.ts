import {mkdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {FileRecord} from './addon/file-records.ts';
import {buildsFolder} from './addon/folder.ts';
import {type BackendName, editionOf, isBackendName, type Obstacle} from './backend.ts';
import {findProgram, userCacheFolder} from './machine.ts';
import type {SelfTestResult} from './self-test/result.ts';
import {numericsOf, setUpId} from './versions.ts';

/** A back end that a set-up found faster than the one it took, and why it could not be had. */
export interface Refusal extends Obstacle {
  readonly backend: BackendName;
}

/** What a set-up found: which back end runs on this machine, and why not a faster one. */
export interface Manifest {
  readonly backend: BackendName;
  /** Id of its numbers, for keys: "tensorflow-2.21.0/eager/fp32/k1c4e9a20". */
  readonly numerics: string;
  /** One line: what runs and why not faster. */
  readonly line: string;
  readonly setUpId: string;
  readonly refusals: readonly Refusal[];
  readonly selfTest: SelfTestResult;
  /** Files of the native addon, by their paths in the folder of builds; empty for the other back ends. */
  readonly files: readonly FileRecord[];
}

const manifestPath = (choice: BackendName | undefined): string =>
  join(userCacheFolder(), 'backends', setUpId(), `${choice ?? 'fastest'}.json`);

function isManifest(value: unknown): value is Manifest {
  return (
    typeof value === 'object' &&
    value !== null &&
    'backend' in value &&
    isBackendName(value.backend) &&
    'numerics' in value &&
    // of other kernels: tested and set up anew
    (value.numerics === numericsOf(value.backend, true) || value.numerics === numericsOf(value.backend, false)) &&
    'line' in value &&
    typeof value.line === 'string' &&
    'setUpId' in value &&
    value.setUpId === setUpId(editionOf(value.backend)) &&
    'refusals' in value &&
    Array.isArray(value.refusals) &&
    'files' in value &&
    Array.isArray(value.files)
  );
}

function sizeOf(path: string): number {
  return statSync(path, {throwIfNoEntry: false})?.size ?? -1;
}

/**
 * What the last set-up of this choice found, or nothing when one is needed: there was none, versions or machine changed,
 * files of it are gone, or a program that a faster back end lacked is there now. Reads a few small files, loads nothing.
 */
export async function readManifest(choice?: BackendName): Promise<Manifest | undefined> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(readFileSync(manifestPath(choice), 'utf8'));
  } catch {
    return undefined;
  }
  if (!isManifest(manifest)) return undefined;
  if (!manifest.files.every(({path, bytes}) => sizeOf(join(buildsFolder(), path)) === bytes)) return undefined;
  if (manifest.refusals.some(({waitsFor}) => findProgram(waitsFor) !== undefined)) return undefined;
  return manifest;
}

/** Stores what a set-up found; whole or not at all. */
export function writeManifest(choice: BackendName | undefined, manifest: Manifest): void {
  const path = manifestPath(choice);
  mkdirSync(dirname(path), {recursive: true});
  const half = `${path}.${process.pid}`;
  writeFileSync(half, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(half, path);
}
