import {readFileSync} from 'node:fs';
import {
  createRequire,
  isBuiltin,
  type LoadHookSync,
  type ResolveFnOutput,
  type ResolveHookSync,
  registerHooks,
} from 'node:module';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {canonicalJson} from '../base/canonical-json.ts';
import {type Digest, digestOf} from '../base/digest.ts';
import {type DynamicImport, dynamicImports} from './dynamic-imports.ts';

/** Where an import of a user's file leads nowhere, or where nobody can say where it leads. */
export class ImportError extends Error {
  readonly file: string;
  readonly written: Pick<DynamicImport, 'text' | 'start'>;
  readonly hint: string;
  constructor(message: string, file: string, written: Pick<DynamicImport, 'text' | 'start'>, hint: string) {
    super(message);
    this.file = file;
    this.written = written;
    this.hint = hint;
  }
}

/** What a user's module and everything that it imports are: own files by content, packages by name and version. */
interface Closure {
  readonly root: string;
  readonly files: Map<string, Digest>;
  readonly packages: Set<string>;
}

/** Tells the modules of one import apart from those of another, so that an edited file is read again. */
const MARK = 'basin';
const closures: Closure[] = [];

/** A message or a stack as a person knows the names of the files. */
export const withoutMarks = (text: string): string => text.replace(/\?basin=\d+/g, '');

let library: string | undefined;

/**
 * Imports a user's module with its whole closure: as it is now, also when an earlier state of it was imported before. `lossbasin` is
 * this library; a package that is not installed beside the file is taken from its dependencies.
 *
 * @param entry URL of the module that `lossbasin` stands for.
 * @throws ImportError for imports that cannot be followed, and whatever the module throws.
 */
export async function importWithClosure(path: string, entry: string): Promise<{exports: unknown; closure: Digest}> {
  if (library === undefined) registerHooks({resolve: resolveImport, load: noteModule});
  library = entry;
  const closure: Closure = {root: dirname(path), files: new Map(), packages: new Set()};
  const url = pathToFileURL(path);
  url.searchParams.set(MARK, String(closures.push(closure) - 1));
  const exports: unknown = await import(url.href);
  const files = Object.fromEntries([...closure.files].sort(([one], [other]) => (one < other ? -1 : 1)));
  return {exports, closure: digestOf(canonicalJson({files, packages: [...closure.packages].sort()}))};
}

function closureOf(url: string | undefined): {closure: Closure; mark: string} | undefined {
  if (url === undefined || !url.startsWith('file:')) return undefined;
  const mark = new URL(url).searchParams.get(MARK);
  const closure = mark === null ? undefined : closures[Number(mark)];
  return mark !== null && closure ? {closure, mark} : undefined;
}

const resolveImport: ResolveHookSync = (specifier, context, nextResolve) => {
  const from = closureOf(context.parentURL);
  if (!from || context.parentURL === undefined || library === undefined) return nextResolve(specifier, context);
  const resolved = resolveFrom(specifier, context.parentURL, library, (parentURL) =>
    nextResolve(specifier, {...context, parentURL}),
  );
  if (!resolved.url.startsWith('file:')) return resolved;
  if (resolved.url === library || resolved.url.includes('/node_modules/')) {
    from.closure.packages.add(packageOf(fileURLToPath(resolved.url)));
    return resolved;
  }
  const url = new URL(resolved.url);
  url.searchParams.set(MARK, from.mark);
  return {...resolved, url: url.href};
};

function resolveFrom(
  specifier: string,
  parent: string,
  entry: string,
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
      if (!/^[./]/.test(specifier)) return resolve(entry);
    } catch {
      // The first error is about the user's file.
    }
    const isRelative = /^[./]/.test(specifier);
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    const what = isRelative ? 'file' : 'package';
    const why = isMissing ? `there is no such ${what}` : error instanceof Error ? error.message : String(error);
    const message = `"${specifier}" cannot be imported: ${withoutMarks(why)}.`;
    const lacksEnding = isRelative && !/\.[cm]?[jt]s(on)?$/.test(specifier);
    const hint = lacksEnding
      ? `Write the name of the file with its ending: "${specifier}.ts".`
      : isRelative
        ? 'Check the name; it starts at the folder of the file that imports it.'
        : 'Check the name, or install the package beside the pipeline.';
    throw new ImportError(message, fileURLToPath(parent.replace(/\?.*/, '')), {text: specifier, start: 0}, hint);
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
  const format = formatOf(url);
  const loaded = nextLoad(url, {...context, ...(format !== undefined && {format})});
  const path = fileURLToPath(url.replace(/\?.*/, ''));
  const bytes = readFileSync(path);
  of.closure.files.set(relative(of.closure.root, path), digestOf(bytes));
  for (const found of dynamicImports(bytes.toString())) {
    const hint = 'Import it at the top of the file: what is imported later is in no key.';
    if (found.specifier === undefined || /^[./]/.test(found.specifier))
      throw new ImportError('This import is made while the stage runs.', path, found, hint);
    if (!isBuiltin(found.specifier)) of.closure.packages.add(packageOf(createRequire(path).resolve(found.specifier)));
  }
  return loaded;
};

/** `name@version` of the package that a file belongs to. */
function packageOf(path: string): string {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const manifest: {readonly name?: unknown; readonly version?: unknown} = JSON.parse(
        readFileSync(join(folder, 'package.json'), 'utf8'),
      );
      if (typeof manifest.name === 'string' && typeof manifest.version === 'string')
        return `${manifest.name}@${manifest.version}`;
    } catch {
      // one further up
    }
  }
  return path;
}
