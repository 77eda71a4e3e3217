import {type Dirent, readdirSync, readFileSync, readlinkSync, realpathSync, statSync} from 'node:fs';
import {findPackageJSON} from 'node:module';
import {basename, dirname, join, relative} from 'node:path';
import {pathToFileURL} from 'node:url';
import {z} from 'zod';
import {canonicalJson} from '../base/canonical-json.ts';
import {digestOf} from '../base/digest.ts';

const names = z.record(z.string(), z.unknown()).default({});
const needsSchema = z.object({dependencies: names, optionalDependencies: names, peerDependencies: names});
const manifestSchema = needsSchema.extend({name: z.string(), version: z.string()});

/** An installed package. */
export interface Package {
  /** `name@version`; without a version the digest of its files in its place. */
  readonly identity: string;
  /** Where the packages lie that it may import (their package.json), by the names that it has for them. */
  readonly needs: ReadonlyMap<string, string>;
}

/** A package by itself, by where its package.json lies, or would. */
interface Manifest {
  readonly path: string;
  readonly identity: string;
  /** Names of the packages that it may import. */
  readonly needs: readonly string[];
}

/** The package that a file belongs to: its identity, and where its package.json lies, or would. */
export const manifestOf = (path: string): Pick<Manifest, 'path' | 'identity'> => packageOf(path);

/**
 * Adds the package that a file belongs to and all that it needs to those found, by the paths of their package.json, as they are installed. What is optional and not there is
 * left out; what a package imports without naming it in its package.json is not known.
 *
 * @param library Where basin's package.json lies, whose version stands for all that it needs.
 * @returns where that of the file's package lies.
 */
export function addPackages(path: string, library: string, found: Map<string, Package>): string {
  const first = packageOf(path);
  const added = found.has(first.path) ? [] : [first];
  for (const {path: from, identity, needs: names} of added) {
    if (found.has(from)) continue;
    const needs = new Map<string, string>();
    found.set(from, {identity, needs});
    for (const name of from === library ? [] : names) {
      const manifest = installed(name, from);
      if (manifest === undefined) continue;
      needs.set(name, manifest);
      if (!found.has(manifest)) added.push(packageAt(manifest) ?? unversioned(dirname(manifest)));
    }
  }
  return first.path;
}

/** Of packages, one and all that it needs. */
export function packagesFrom(manifest: string, packages: ReadonlyMap<string, Package>): ReadonlyMap<string, Package> {
  const found = new Map<string, Package>();
  const add = (path: string): void => {
    const one = packages.get(path);
    if (one && !found.has(path)) found.set(path, one);
  };
  add(manifest);
  for (const {needs} of found.values()) for (const path of needs.values()) add(path);
  return found;
}

/** The package.json of a package as Node finds it from a file; behind links, which is where what it needs is looked up. */
function installed(specifier: string, from: string): string | undefined {
  try {
    const found = findPackageJSON(specifier, pathToFileURL(from));
    return found === undefined ? undefined : realpathSync(found);
  } catch {
    return undefined;
  }
}

/** A file of no package is one by itself. */
function packageOf(path: string): Manifest {
  for (let [child, folder] = [path, dirname(path)]; folder !== child; [child, folder] = [folder, dirname(folder)]) {
    if (basename(folder) === MODULES && !isHidden(child)) break;
    const found = packageAt(join(folder, MANIFEST)) ?? (isInstalled(folder) ? unversioned(folder) : undefined);
    if (found) return found;
  }
  return {path, identity: identityOf(basename(path), {[basename(path)]: digestOf(readFileSync(path))}), needs: []};
}

const MANIFEST = 'package.json';
const MODULES = 'node_modules';

/** What tools keep beside packages, as basin keeps its bundle: a part of the package around. */
const isHidden = (path: string): boolean => basename(path).startsWith('.');

/** Whether a folder is what was installed as a package: `node_modules/name` or `node_modules/@scope/name`. */
const isInstalled = (folder: string): boolean =>
  (basename(dirname(folder)) === MODULES && !isHidden(folder)) ||
  (basename(dirname(dirname(folder))) === MODULES && basename(dirname(folder)).startsWith('@'));

/** Nothing for a package.json without name and version, as one that only says how its folder is to be read. */
function packageAt(path: string): Manifest | undefined {
  const manifest = manifestSchema.safeParse(manifestAt(path));
  if (!manifest.success) return undefined;
  const {name, version, ...lists} = manifest.data;
  return {path, identity: `${name}@${version}`, needs: namesIn(lists)};
}

/** A package whose package.json does not say which one it is, so that nothing but its files does. */
function unversioned(folder: string): Manifest {
  const path = join(folder, MANIFEST);
  const lists = needsSchema.safeParse(manifestAt(path)).data ?? {};
  return {path, identity: identityOf(basename(folder), filesBelow(folder, folder)), needs: namesIn(lists)};
}

const identityOf = (name: string, files: Readonly<Record<string, string>>): string =>
  `${name}@${digestOf(canonicalJson(files))}`;

function manifestAt(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

const namesIn = (lists: Readonly<Record<string, object>>): readonly string[] =>
  Object.values(lists)
    .flatMap((list) => Object.keys(list))
    .filter((name) => !name.startsWith('@types/'));

/** Digests of all files, but for the packages installed below. A link to a folder counts as what it says. */
function filesBelow(folder: string, top: string): Record<string, string> {
  const digestsOf = (entry: Dirent): readonly (readonly [string, string])[] => {
    const path = join(folder, entry.name);
    const name = relative(top, path);
    if (entry.isDirectory()) return entry.name === MODULES ? [] : Object.entries(filesBelow(path, top));
    if (statSync(path, {throwIfNoEntry: false})?.isFile()) return [[name, digestOf(readFileSync(path))]];
    return entry.isSymbolicLink() ? [[name, `-> ${readlinkSync(path)}`]] : [];
  };
  return Object.fromEntries(readdirSync(folder, {withFileTypes: true}).flatMap(digestsOf));
}
