import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {type Digest, digestOf} from '../base/digest.ts';
import {ImportError} from './import-error.ts';
import type {Package} from './package-version.ts';

const START_ANEW = 'Start the program anew: what it has loaded of it stays as it was.';

/** What this process has loaded, as it was then: what Node has of a package or of a package.json, it keeps. */
const packagesBefore = new Map<string, string>();
const namesBefore = new Map<string, Digest>();
const requiredBefore = new Map<string, Set<string>>();

/** What Node has of CommonJS, and what was taken out of that for a while. */
const {cache} = createRequire(import.meta.url);
const aside = new Map<string, NonNullable<(typeof cache)[string]>>();

/**
 * Takes note of packages that are loaded, by the paths of their package.json.
 *
 * @throws ImportError when one is not what this process has loaded of it.
 */
export function checkPackages(packages: Iterable<readonly [string, Package]>, specifier: string, from: string): void {
  for (const [manifest, {identity}] of packages) {
    const before = packagesBefore.get(manifest) ?? identity;
    packagesBefore.set(manifest, before);
    if (before === identity) continue;
    const name = before.slice(0, before.lastIndexOf('@'));
    const message = `The package ${name} changed after this program had loaded it.`;
    throw new ImportError(message, from, {text: specifier, start: 0}, START_ANEW);
  }
}

/** Takes note of the package.json that says where a name such as `#part` leads. @throws ImportError when it was another when Node read it. */
export function checkNames(specifier: string, from: string): void {
  if (!specifier.startsWith('#')) return;
  const [path, bytes] = manifestAbove(from) ?? [];
  if (path === undefined || bytes === undefined) return;
  const digest = digestOf(bytes);
  const before = namesBefore.get(path) ?? digest;
  namesBefore.set(path, before);
  if (before === digest) return;
  const message = `${path} changed after this program had read it.`;
  throw new ImportError(message, from, {text: specifier, start: 0}, START_ANEW);
}

function manifestAbove(from: string): readonly [path: string, bytes: Buffer] | undefined {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    try {
      return [path, readFileSync(path)];
    } catch {
      if (dirname(folder) === folder) return undefined;
    }
  }
}

/** Makes Node run a CommonJS file of the user's again, and say again what that requires: of what it has it says nothing. */
export function forgetRequired(path: string): void {
  for (const file of [path, ...(requiredBefore.get(path) ?? [])]) {
    const known = cache[file];
    if (known && file !== path) aside.set(file, known);
    delete cache[file];
  }
}

/** Takes note of a file that a CommonJS file of the user's requires. */
export function noteRequired(path: string, file: string): void {
  const files = requiredBefore.get(path) ?? new Set();
  requiredBefore.set(path, files.add(file));
}

/** Gives back what was put aside, of one file when it is asked for, or all, so that no package is loaded twice. */
export function putBack(files: Iterable<string> = aside.keys()): void {
  for (const file of files) {
    const known = aside.get(file);
    if (known) cache[file] ??= known;
    aside.delete(file);
  }
}
