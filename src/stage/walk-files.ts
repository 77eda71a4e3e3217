import {type Dirent, realpathSync, type Stats, statSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join, posix} from 'node:path';
import {isStoreFolder} from '../base/store-folder.ts';
import {UserError} from '../base/user-error.ts';

/** Python makes it beside modules that are imported, and anew when one changes. */
export const COMPILED = '__pycache__';

interface Walk {
  /** Names of what is asked for; whatever else cannot be read is passed over. */
  readonly wants: (name: string) => boolean;
  /** How many folders deep. */
  readonly depth: number;
  /** Whether a link back to a folder above is a fault; where not, it is not followed: what it leads to is found already. */
  readonly refusesLoops: boolean;
  readonly dots: boolean;
  /** Whether what Python keeps of the modules that it was run with is wanted. */
  readonly compiled: boolean;
}

/**
 * The files below a folder by name, links followed; caches of basin's in it are passed over.
 *
 * @param name How the folder is called; files are called by it and their path in it.
 * @throws UserError for such a cache itself, for a link to nothing or back to a folder above it, and for what is neither a file nor a folder.
 */
export function walkFiles(folder: string, name: string, walk: Walk): AsyncGenerator<string> {
  if (isStoreFolder(folder))
    throw new UserError(`${name} is a cache of basin's, which every run changes.`, 'Name what it was made of instead.');
  return walkFrom(folder, name, walk, [realpathSync(folder)]);
}

async function* walkFrom(folder: string, above: string, walk: Walk, chain: readonly string[]): AsyncGenerator<string> {
  for (const entry of (await readdir(folder, {withFileTypes: true})).sort(byName)) {
    const name = posix.join(above, entry.name);
    if (!walk.dots && entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    const status: Dirent | Stats | undefined = entry.isSymbolicLink() ? statSync(path, {throwIfNoEntry: false}) : entry;
    if (status?.isDirectory()) {
      if (chain.length >= walk.depth || isStoreFolder(path)) continue;
      if (!walk.compiled && entry.name === COMPILED) continue;
      const real = realpathSync(path);
      if (!chain.includes(real)) yield* walkFrom(path, name, walk, [...chain, real]);
      else if (walk.refusesLoops)
        throw new UserError(
          `The link ${name} leads to a folder that it lies in.`,
          'Name the files, or remove the link.',
        );
    } else if (walk.wants(name)) {
      if (status?.isFile()) yield name;
      else if (status) throw notAFile(name);
      else throw new UserError(`The link ${name} leads to nothing.`, 'Mend or remove the link.');
    }
  }
}

/** A pipe would be waited on for ever, and a device may have no end. */
export const notAFile = (name: string): UserError =>
  new UserError(`${name} is neither a file nor a folder.`, 'Name the files that are wanted.');

const byName = (one: Dirent, other: Dirent): number => (one.name < other.name ? -1 : 1);
