import {readFileSync, statSync} from 'node:fs';
import {
  isBuiltin,
  type LoadHookSync,
  type ResolveFnOutput,
  type ResolveHookContext,
  type ResolveHookSync,
  registerHooks,
} from 'node:module';
import {basename} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import type {Digest} from '../base/digest.ts';
import {Closure, isInPackage} from './closure.ts';
import {cannotImport, ImportError, isRelative, MARK, type Place} from './import-error.ts';
import type {Target} from './import-graph.ts';
import {checkNames, checkPackages, forgetRequired, noteRequired, putBack} from './loaded-before.ts';
import type {PinnedFiles} from './pinned-files.ts';
import {whileLoading} from './while-loading.ts';

const closures: Closure[] = [];

let library: string | undefined;

/** The import of a user's file that Node is asked about, before it is made. */
let asked: {readonly parent: string; readonly written: Place} | undefined;

export interface ImportedModule {
  /** What it exports by default. */
  readonly exported: unknown;
  readonly closure: Digest;
  /** Files that it reads while it runs, which are in the closure. */
  readonly reads: PinnedFiles;
}

/**
 * What a user's module exports by default, with the digest of its whole closure: as it is now, also when an earlier state of it was imported before. `lossbasin` is
 * this library; a package that is not installed beside the file is taken from its dependencies. What is not in the digest cannot be imported later.
 *
 * @param entry URL of the module that `lossbasin` stands for.
 * @throws ImportError for imports that cannot be followed, and whatever the module throws.
 */
export async function importWithClosure(path: string, entry: string): Promise<ImportedModule> {
  if (library === undefined) registerHooks({resolve: resolveImport, load: noteModule});
  library = entry;
  const mark = String(closures.length);
  const closure = new Closure(fileURLToPath(entry), (found, from) =>
    whereTo(found.specifier, marked(from, mark), found),
  );
  closures.push(closure);
  const url = new URL(marked(path, mark));
  const exports: unknown = await whileLoading(path, () => import(url.href)).finally(() => putBack());
  const exported =
    typeof exports === 'object' && exports !== null && 'default' in exports ? exports.default : undefined;
  return {exported, closure: closure.seal(), reads: closure.reads};
}

function marked(path: string, mark: string): string {
  const url = pathToFileURL(path);
  url.searchParams.set(MARK, mark);
  return url.href;
}

/** By the hook below, which alone can ask for another file than this one. */
function whereTo(specifier: string, parent: string, written: Place): string {
  asked = {parent, written};
  try {
    return import.meta.resolve(specifier);
  } finally {
    asked = undefined;
  }
}

function closureOf(url: string | undefined): {closure: Closure; mark: string} | undefined {
  if (url === undefined || !url.startsWith('file:')) return undefined;
  const mark = new URL(url).searchParams.get(MARK);
  const closure = mark === null ? undefined : closures[Number(mark)];
  return mark !== null && closure ? {closure, mark} : undefined;
}

const pathOf = (url: string): string => fileURLToPath(url.replace(/\?.*/, ''));

const resolveImport: ResolveHookSync = (specifier, context, nextResolve) => {
  if (asked !== undefined && library !== undefined) {
    const {parent, written} = asked;
    asked = undefined;
    return resolveFrom(specifier, parent, library, written, (from) =>
      nextResolve(specifier, {...context, parentURL: from}),
    );
  }
  const {parentURL} = context;
  if (parentURL === undefined || !parentURL.startsWith('file:') || library === undefined)
    return nextResolve(specifier, context);
  if (isRequire(context)) {
    const resolved = nextResolve(specifier, context);
    if (resolved.url.startsWith('file:')) putBack([pathOf(resolved.url)]);
    checkRequired(specifier, pathOf(parentURL), resolved);
    return resolved;
  }
  const from = closureOf(parentURL);
  if (!from) return nextResolve(specifier, context);
  const resolved = resolveFrom(specifier, parentURL, library, {text: specifier, start: 0}, (parent) =>
    nextResolve(specifier, {...context, parentURL: parent}),
  );
  if (addLoaded(from.closure, specifier, pathOf(parentURL), resolved.url).to !== 'file') return resolved;
  const url = new URL(resolved.url);
  url.searchParams.set(MARK, from.mark);
  return {...resolved, url: url.href};
};

const isRequire = ({conditions}: ResolveHookContext): boolean => conditions.includes('require');

/** A user's own file that is loaded by `require` is seen by nobody when it is loaded again; a package is. */
function checkRequired(specifier: string, parent: string, {url}: ResolveFnOutput): void {
  const from = closures.filter((closure) => closure.has(parent));
  if (from.length === 0 || isBuiltin(url) || !url.startsWith('file:')) return;
  if (!isInPackage(url)) {
    const message = `"${specifier}" is loaded with require, and what that loads is in no key.`;
    throw new ImportError(message, parent, {text: specifier, start: 0}, 'Write it as a module, with import.');
  }
  const open = from.filter(({isSealed}) => !isSealed);
  if (open.length > 0) noteRequired(parent, pathOf(url));
  for (const closure of open.length > 0 ? open : from.slice(-1)) addLoaded(closure, specifier, parent, url);
}

/** Takes an import into a closure that Node makes now. */
function addLoaded(closure: Closure, specifier: string, from: string, url: string): Target {
  const target = closure.addImport(specifier, from, url);
  if (!closure.isSealed) {
    checkNames(specifier, from);
    checkPackages(closure.packagesBehind(target), specifier, from);
  }
  return target;
}

function resolveFrom(
  specifier: string,
  parent: string,
  entry: string,
  written: Place,
  resolve: (parent: string) => ResolveFnOutput,
): ResolveFnOutput {
  if (specifier === 'lossbasin') {
    const format = formatOf(entry);
    return {url: entry, ...(format !== undefined && {format}), shortCircuit: true};
  }
  try {
    return resolve(parent);
  } catch (error) {
    try {
      if (!isRelative(specifier)) return resolve(entry);
    } catch {
      // The first error is about the user's file.
    }
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    const why = isMissing ? undefined : error instanceof Error ? error.message : String(error);
    throw cannotImport(specifier, pathOf(parent), written, why);
  }
}

/** A user's files are modules whatever the nearest package.json says, which may be about something else. */
function formatOf(url: string): string | undefined {
  const path = url.replace(/\?.*/, '');
  if (/\.m?ts$/.test(path)) return 'module-typescript';
  return /\.m?js$/.test(path) ? 'module' : undefined;
}

const noteModule: LoadHookSync = (url, context, nextLoad) => {
  const of = closureOf(url);
  if (!of) return nextLoad(url, context);
  const path = pathOf(url);
  if (statSync(path, {throwIfNoEntry: false})?.isFile() === false)
    throw new ImportError(`${basename(path)} is a pipe or a device.`, path, {text: '', start: 0}, 'Name a file.');
  const format = formatOf(url);
  const loaded = nextLoad(url, {...context, ...(format !== undefined && {format})});
  const bytes = Buffer.isBuffer(loaded.source) ? loaded.source : readFileSync(path);
  of.closure.addFile(path, bytes);
  if (loaded.format?.startsWith('commonjs') && !of.closure.isSealed) forgetRequired(path);
  return loaded;
};
