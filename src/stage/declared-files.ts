import {glob, stat} from 'node:fs/promises';
import {isAbsolute, join, posix, relative, resolve} from 'node:path';
import type {Digest} from '../base/digest.ts';
import type {Json} from '../base/json.ts';
import {UserError} from '../base/user-error.ts';
import type {SourceContext, SourceResolution} from './source.ts';

/** More than this is a folder that somebody did not mean. */
const MOST_FILES = 10_000;
const PATTERN = /[*?{[]/;

/** A file by the name under which a program sees it, relative to the folder that it runs in. */
type DeclaredFiles = ReadonlyMap<string, string>;

/**
 * The files of `files:`, by the name a program sees: a list gives paths below the pipeline's folder, folders with all that is in
 * them, and patterns; a map gives names of its own to paths anywhere.
 *
 * @throws UserError when one is not there, a pattern finds nothing, or a path of a list leaves the folder.
 */
async function findDeclaredFiles(value: Json, folder: string): Promise<DeclaredFiles> {
  const found = new Map<string, string>();
  const entries: readonly (readonly [string | undefined, Json])[] = Array.isArray(value)
    ? value.map((path: Json) => [undefined, path] as const)
    : Object.entries(value ?? {});
  for (const [name, path] of entries) {
    if (typeof path === 'string') await find(name, path, folder, found);
  }
  return found;
}

async function find(name: string | undefined, path: string, folder: string, found: Map<string, string>): Promise<void> {
  const seenAs = checkName(name ?? path, path, name !== undefined);
  if (name === undefined && PATTERN.test(path)) {
    const before = found.size;
    for await (const match of glob(path, {cwd: folder, withFileTypes: true})) {
      if (match.isFile()) add(relative(folder, join(match.parentPath, match.name)), folder, found);
    }
    if (found.size === before)
      throw new UserError(`No file matches ${path}.`, 'Paths start at the folder of the pipeline file.');
    return;
  }
  const absolute = resolve(folder, path);
  if (!(await stat(absolute)).isDirectory()) {
    found.set(seenAs, absolute);
    return;
  }
  for await (const match of glob('**', {cwd: absolute, withFileTypes: true})) {
    const inside = relative(absolute, join(match.parentPath, match.name));
    if (match.isFile()) add(posix.join(seenAs, inside), folder, found, join(absolute, inside));
  }
}

function add(name: string, folder: string, found: Map<string, string>, path = resolve(folder, name)): void {
  found.set(name, path);
  if (found.size > MOST_FILES)
    throw new UserError(`"files" stands for more than ${MOST_FILES} files.`, 'Name a smaller folder.');
}

function checkName(name: string, path: string, given: boolean): string {
  const normal = posix.normalize(name).replace(/\/$/, '');
  if (normal === '..' || normal.startsWith('../') || isAbsolute(normal))
    throw new UserError(
      given
        ? `The name ${name} leaves the folder that the program runs in.`
        : `${path} lies outside of the pipeline's folder.`,
      given ? 'Give a relative name.' : `Give it a name: files: {${posix.basename(normal)}: ${path}}.`,
    );
  if (/^(in|out)(\/|$)/.test(normal))
    throw new UserError(
      `The file ${normal} would lie where inputs and outputs do.`,
      'Give it another name: files: {NAME: PATH}.',
    );
  return normal;
}

/** Declared files pinned to their content: names and digests for the key, paths beside them for the worker. */
export async function resolveDeclaredFiles(
  value: Json,
  {folder, digestOfFile}: SourceContext,
): Promise<SourceResolution> {
  const identity: Record<string, Digest> = {};
  const located: Record<string, Json> = {};
  for (const [name, path] of await findDeclaredFiles(value, folder)) {
    const digest = await digestOfFile(path);
    identity[name] = digest;
    located[name] = {path, digest};
  }
  return {state: 'resolved', identity, located};
}
