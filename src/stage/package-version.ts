import {readFileSync} from 'node:fs';
import {findPackageJSON} from 'node:module';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {z} from 'zod';

const names = z.record(z.string(), z.unknown()).default({});
const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  dependencies: names,
  optionalDependencies: names,
  peerDependencies: names,
});

/** An installed package, by where its package.json lies. */
interface Package {
  readonly path: string;
  /** `name@version` */
  readonly identity: string;
  /** Names of the packages that it may import. */
  readonly needs: readonly string[];
}

/** The package that a file belongs to; a file of none stands for itself. */
export const identityOfPackage = (path: string): string => packageOf(path)?.identity ?? path;

/**
 * The package that a file belongs to and all that it needs, as `name@version` of what is installed. What is optional and not there is left out;
 * what a package imports without naming it in its package.json is not known.
 *
 * @param library A file of basin, whose version stands for all that it needs.
 */
export function identitiesOfPackages(path: string, library: string): ReadonlySet<string> {
  const first = packageOf(path);
  if (!first) return new Set([path]);
  const leaf = packageOf(library)?.path;
  const found = new Map([[first.path, first]]);
  for (const {path: from, needs} of found.values()) {
    for (const name of from === leaf ? [] : needs) {
      const needed = packageAt(installed(name, from));
      if (needed) found.set(needed.path, needed);
    }
  }
  return new Set([...found.values()].map(({identity}) => identity));
}

/** The package.json of a package as Node finds it from a file. */
export function installed(specifier: string, from: string): string | undefined {
  try {
    return findPackageJSON(specifier, pathToFileURL(from));
  } catch {
    return undefined;
  }
}

function packageOf(path: string): Package | undefined {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const found = packageAt(join(folder, 'package.json'));
    if (found) return found;
  }
  return undefined;
}

/** Nothing for a package.json without name and version, as one that only says how its folder is to be read. */
function packageAt(path: string | undefined): Package | undefined {
  if (path === undefined) return undefined;
  try {
    const {name, version, ...lists} = manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const needs = Object.values(lists).flatMap((list) => Object.keys(list));
    return {path, identity: `${name}@${version}`, needs: needs.filter((need) => !need.startsWith('@types/'))};
  } catch {
    return undefined;
  }
}
