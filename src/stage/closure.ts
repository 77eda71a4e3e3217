import {readFileSync, realpathSync, statSync} from 'node:fs';
import {isBuiltin} from 'node:module';
import {dirname, relative} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {type Digest, digestOf} from '../base/digest.ts';
import {digestOfFileNow} from '../base/digested-files.ts';
import {cannotImport, ImportError} from './import-error.ts';
import {digestOfGraph, type OwnFile, type Target} from './import-graph.ts';
import {addPackages, manifestOf, type Package, packagesFrom} from './package-version.ts';
import type {PinnedFiles} from './pinned-files.ts';
import {mayImportLate, type WrittenImport, writtenImports, writtenRequires} from './written-imports.ts';

const AT_THE_TOP = 'Import it at the top of the file: what is imported later is in no key.';
const IN_NO_KEY = 'Run it again; if that does not help, import it at the top of a file.';
/** Modules whose text has imports. */
const CODE = /\.[cm]?[jt]s$/;

/** URL of what an import of a file leads to, as Node finds it. @throws ImportError when that is nothing. */
type Resolve = (found: WrittenImport & {readonly specifier: string}, path: string) => string;

/** What a user's module and everything that it imports are: which import leads where, own files by content, packages by name and version. */
export class Closure {
  /** A file of basin, which its users import as a package. */
  readonly #library: string;
  readonly #resolve: Resolve;
  readonly #files = new Map<string, OwnFile & {readonly imports: Map<string, Target>}>();
  readonly #packages = new Map<string, Package>();
  /** Files that are read by their URL while the module runs, perhaps by a thread, of which Node tells nothing here. */
  readonly #read = new Set<string>();
  #libraryManifest: string | undefined;
  #entry: string | undefined;
  #unread: {readonly path: string; readonly why: string} | undefined;
  #isSealed = false;

  constructor(library: string, resolve: Resolve) {
    this.#library = library;
    this.#resolve = resolve;
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  get isSealed(): boolean {
    return this.#isSealed;
  }

  /** The digest of all there is; from now on nothing else can be imported. */
  seal(): Digest {
    if (this.#unread) {
      const {path, why} = this.#unread;
      throw new ImportError(`What this file imports cannot be told: ${why}.`, path, {text: '', start: 0}, AT_THE_TOP);
    }
    this.#isSealed = true;
    return digestOfGraph(this.#entry, this.#files, this.#packages);
  }

  /** The files that are read by their URL while the module runs. */
  get reads(): PinnedFiles {
    return Object.fromEntries(
      [...this.#read].flatMap((path) => {
        const digest = this.#files.get(path)?.digest;
        return digest === undefined ? [] : [[path, digest]];
      }),
    );
  }

  /**
   * Takes in where an import of one of the user's files leads, with the package if it is one.
   *
   * @throws ImportError when the closure is sealed without it.
   */
  addImport(specifier: string, from: string, url: string): Target {
    const target = this.#targetOf(url);
    const imports = this.#files.get(from)?.imports;
    if (!this.#isSealed) {
      imports?.set(specifier, target);
      return target;
    }
    const before = imports?.get(specifier);
    const isOther = before !== undefined && JSON.stringify(before) !== JSON.stringify(target);
    if (isOther || (target.to === 'package' && !this.#hasPackage(fileURLToPath(url))))
      throw new ImportError(`"${specifier}" is in no key.`, from, {text: specifier, start: 0}, IN_NO_KEY);
    return target;
  }

  #targetOf(url: string): Target {
    if (!url.startsWith('file:')) return {to: 'name', name: url};
    const path = fileURLToPath(url);
    if (path !== this.#library && !isInPackage(path)) return {to: 'file', path};
    this.#libraryManifest ??= manifestOf(this.#library).path;
    const manifest = this.#isSealed ? manifestOf(path).path : addPackages(path, this.#libraryManifest, this.#packages);
    // A published basin has its files elsewhere than a checkout of it.
    const isLibrary = manifest === this.#libraryManifest;
    return {to: 'package', package: manifest, path: isLibrary ? '' : relative(dirname(manifest), path)};
  }

  /** A package that an import leads to, and all that it needs, by the paths of their package.json. */
  packagesBehind(target: Target): ReadonlyMap<string, Package> {
    return target.to === 'package' ? packagesFrom(target.package, this.#packages) : new Map();
  }

  #hasPackage(path: string): boolean {
    const {path: manifest, identity} = manifestOf(path);
    return this.#packages.get(manifest)?.identity === identity;
  }

  /**
   * Takes in one of the user's own files as Node has read it, with what it imports while it runs; what it imports before that, Node makes known
   * import by import. The first is the entry.
   *
   * @throws ImportError for what nobody can follow, and when the closure is sealed without this file.
   */
  addFile(path: string, bytes: Buffer): void {
    this.#entry ??= path;
    const digest = digestOf(bytes);
    if (this.#isSealed) {
      if (this.#files.get(path)?.digest !== digest) {
        const name = relative(dirname(this.#entry), path);
        throw new ImportError(`${name} is in no key as it is now.`, path, {text: '', start: 0}, IN_NO_KEY);
      }
      return;
    }
    this.#files.set(path, {digest, imports: new Map()});
    const text = bytes.toString();
    if (!CODE.test(path) || !mayImportLate(text)) return;
    for (const found of this.#importsOf(path, text))
      if (found.how !== 'first' || isLoader(found)) this.#follow(found, path);
  }

  /** Takes in a file that does not run now, and all that it would import. */
  #addLater(path: string, isRead: boolean): void {
    if (isRead ? this.#read.has(path) : this.has(path)) return;
    if (isRead) this.#read.add(path);
    if (!CODE.test(path)) {
      this.#files.set(path, {digest: digestOfFileNow(path), imports: new Map()});
      return;
    }
    const bytes = readFileSync(path);
    const text = bytes.toString();
    this.#files.set(path, {digest: digestOf(bytes), imports: this.#files.get(path)?.imports ?? new Map()});
    const all = this.#importsOf(path, text);
    if (isRead && !this.#unread) refuseRequires(path, text);
    for (const found of all) this.#follow(found, path, isRead);
  }

  /** A text that Node cannot read either ends the import by itself, with a better reason. */
  #importsOf(path: string, text: string): readonly WrittenImport[] {
    try {
      return writtenImports(path, text);
    } catch (error) {
      this.#unread ??= {path, why: error instanceof Error ? error.message : String(error)};
      return [];
    }
  }

  #follow(found: WrittenImport, path: string, isRead = false): void {
    const {specifier} = found;
    if (found.how === 'url') {
      this.#followUrl(specifier ?? '', path);
      return;
    }
    if (specifier === undefined || /^(?!node:|file:)[a-z]+:/.test(specifier))
      throw new ImportError('This import is made while the stage runs.', path, found, AT_THE_TOP);
    if (isLoader(found)) {
      const hint = 'Write import name from "./file.cjs" at the top of the file, or with {type: "json"} after it.';
      throw new ImportError('What createRequire of node:module loads is in no key.', path, found, hint);
    }
    const url = this.#resolve({...found, specifier}, path);
    if (url.startsWith('file:') && !statSync(fileURLToPath(url), {throwIfNoEntry: false})?.isFile())
      throw cannotImport(specifier, path, found);
    const target = this.addImport(specifier, path, url);
    if (target.to === 'file') this.#addLater(target.path, isRead);
  }

  /** What is no file yet, or a folder, is told apart from one, and from nothing else. */
  #followUrl(specifier: string, path: string): void {
    const url = URL.parse(specifier, pathToFileURL(path).href);
    if (url?.protocol !== 'file:') return;
    const file = fileURLToPath(url);
    const name = `new URL ${specifier}`;
    if (!statSync(file, {throwIfNoEntry: false})?.isFile()) {
      this.#files.get(path)?.imports.set(name, {to: 'name', name: 'no file'});
      return;
    }
    const target = this.addImport(name, path, pathToFileURL(realpathSync(file)).href);
    if (target.to === 'file') this.#addLater(target.path, true);
  }
}

/** Whether a path or a URL is that of a file that was installed. */
export const isInPackage = (path: string): boolean => path.includes('/node_modules/');

/** @throws ImportError where a file of which Node tells nothing here requires another. */
function refuseRequires(path: string, text: string): void {
  const refused = writtenRequires(path, text).filter((specifier) => specifier === undefined || !isBuiltin(specifier));
  if (refused.length === 0) return;
  const [specifier] = refused;
  const what = specifier === undefined ? 'Something' : `"${specifier}"`;
  const message = `${what} is loaded with require, and what that loads is in no key.`;
  const written = {text: specifier ?? 'require', start: 0};
  throw new ImportError(message, path, written, 'Write it as a module, with import.');
}

const isLoader = ({specifier}: WrittenImport): boolean => specifier === 'module' || specifier === 'node:module';
