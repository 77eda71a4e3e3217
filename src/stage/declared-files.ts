import {existsSync, statSync} from 'node:fs';
import {stat} from 'node:fs/promises';
import {join, posix, resolve} from 'node:path';
import type {Json} from '../base/json.ts';
import {UserError} from '../base/user-error.ts';
import type {LocatedFile} from './command-parameters.ts';
import {nameFault, placeOfName} from './file-names.ts';
import {isExecutable} from './place-file.ts';
import type {SourceContext, SourceResolution} from './source.ts';
import {COMPILED, notAFile, walkFiles} from './walk-files.ts';

/** More than this is a folder that somebody did not mean. */
const MOST_FILES = 10_000;
const PATTERN = /[*?{[]/;

/** A file by the name under which a program sees it, relative to the folder that it runs in. */
type DeclaredFiles = ReadonlyMap<string, string>;

/**
 * The files of `files:`, by the name a program sees: a list gives paths below the pipeline's folder, folders with all that is in
 * them, and patterns; a map gives names of its own to paths anywhere. Links are followed. Names that begin with a dot, and `__pycache__`, have to be written.
 *
 * @throws UserError when one is not there, a folder or a pattern gives nothing, a link leads nowhere, or a path of a list leaves the folder.
 */
async function findDeclaredFiles(value: Json, folder: string): Promise<DeclaredFiles> {
  const found = new Map<string, string>();
  const entries: readonly (readonly [string | undefined, Json])[] = Array.isArray(value)
    ? value.map((path: Json) => [undefined, path] as const)
    : Object.entries(value ?? {});
  for (const [name, path] of entries) {
    if (typeof path === 'string') await find(name, path, folder, found);
  }
  checkFolders(found);
  return found;
}

async function find(name: string | undefined, path: string, folder: string, found: Map<string, string>): Promise<void> {
  const seenAs = checkName(name ?? path, path, name !== undefined);
  if (name === undefined && PATTERN.test(path)) {
    if ((await findMatches(seenAs, folder, found)) === 0)
      throw new UserError(`No file matches ${path}.`, 'Paths start at the folder of the pipeline file.');
    return;
  }
  const absolute = resolve(folder, path);
  const status = await stat(absolute);
  if (!status.isDirectory()) {
    if (!status.isFile()) throw notAFile(path);
    if (seenAs === '.')
      throw new UserError(
        `The name ${name} is that of the folder that the program runs in, and ${path} is a file.`,
        `Write ${posix.basename(path)}: ${path}.`,
      );
    place(seenAs, absolute, found);
    return;
  }
  const everything = {
    wants: () => true,
    depth: Number.POSITIVE_INFINITY,
    refusesLoops: true,
    dots: false,
    compiled: false,
  };
  let count = 0;
  for await (const file of walkFiles(absolute, posix.normalize(path), everything)) {
    const inside = posix.relative(path, file);
    add(posix.join(seenAs, inside), path, join(absolute, inside), found);
    count += 1;
  }
  if (count === 0) throw new UserError(`The folder ${path} has no file in it.`, 'Name another one, or leave it out.');
}

/** Gives how many there are. Not Node's `glob`, which passes over links. */
async function findMatches(pattern: string, folder: string, found: Map<string, string>): Promise<number> {
  const parts = pattern.split('/');
  const fixed = parts
    .slice(
      0,
      parts.findIndex((part) => PATTERN.test(part)),
    )
    .join('/');
  if (!existsSync(join(folder, fixed))) return 0;
  const depth = parts.includes('**')
    ? Number.POSITIVE_INFINITY
    : parts.length - fixed.split('/').filter(Boolean).length;
  const dots = parts.some((part) => part.startsWith('.'));
  const compiled = parts.includes(COMPILED);
  const walk = {wants: (name: string) => posix.matchesGlob(name, pattern), depth, refusesLoops: false, dots, compiled};
  let count = 0;
  for await (const name of walkFiles(join(folder, fixed), fixed, walk)) {
    add(name, name, join(folder, name), found);
    count += 1;
  }
  return count;
}

function add(name: string, path: string, absolute: string, found: Map<string, string>): void {
  place(checkName(name, path, true), absolute, found);
  if (found.size > MOST_FILES)
    throw new UserError(`"files" stands for more than ${MOST_FILES} files.`, 'Name a smaller folder.');
}

function checkName(name: string, path: string, given: boolean): string {
  const fault = nameFault(name, path, given);
  if (fault) throw new UserError(fault.message, fault.hint);
  return placeOfName(name);
}

/** A file twice under one name is one, as a pattern may give again what was named. */
function place(name: string, absolute: string, found: Map<string, string>): void {
  const other = found.get(name);
  if (other !== undefined && other !== absolute)
    throw new UserError(`Two files would be called ${name}: ${other} and ${absolute}.`, GIVE_ANOTHER);
  found.set(name, absolute);
}

/** @throws UserError when a name is that of a file, and of the folder of another. */
function checkFolders(found: DeclaredFiles): void {
  for (const name of found.keys())
    for (let folder = posix.dirname(name); folder !== '.'; folder = posix.dirname(folder))
      if (found.has(folder))
        throw new UserError(`The name ${folder} is that of a file, so ${name} cannot lie in it.`, GIVE_ANOTHER);
}

const GIVE_ANOTHER = 'Give one of them another name: files: {NAME: PATH}.';

/** Declared files pinned to what a program sees of them: names, digests and which may be executed for the key, paths beside them for the worker. */
export async function resolveDeclaredFiles(
  value: Json,
  {folder, digestOfFile}: SourceContext,
): Promise<SourceResolution> {
  const found: (LocatedFile & {readonly name: string})[] = [];
  for (const [name, path] of await findDeclaredFiles(value, folder))
    found.push({name, path, executable: isExecutable(statSync(path)), digest: await digestOfFile(path)});
  return {
    state: 'resolved',
    identity: Object.fromEntries(
      found.map(({name, digest, executable}) => [name, executable ? {digest, executable} : digest]),
    ),
    located: Object.fromEntries(found.map(({name, ...file}) => [name, file])),
  };
}
