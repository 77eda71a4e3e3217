import {readFileSync, statSync} from 'node:fs';
import {dirname, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {type Digest, digestOf} from '../base/digest.ts';
import {cannotImport, ImportError} from './import-error.ts';
import {digestOfGraph, type OwnFile, type Target} from './import-graph.ts';
import {addPackages, manifestOf, type Package, packagesFrom} from './package-version.ts';
import {mayImportLate, type WrittenImport, writtenImports} from './written-imports.ts';

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
    if (this.#entry === undefined) throw new Error('Internal error: a closure of nothing');
    this.#isSealed = true;
    return digestOfGraph(this.#entry, this.#files, this.#packages);
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
    for (const found of this.#importsOf(path, text)) if (found.isDynamic || isLoader(found)) this.#follow(found, path);
  }

  /** Takes in a file that does not run now, and all that it would import. */
  #addLater(path: string): void {
    if (this.has(path)) return;
    const bytes = readFileSync(path);
    this.#files.set(path, {digest: digestOf(bytes), imports: new Map()});
    if (CODE.test(path)) for (const found of this.#importsOf(path, bytes.toString())) this.#follow(found, path);
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

  #follow(found: WrittenImport, path: string): void {
    const {specifier} = found;
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
    if (target.to === 'file') this.#addLater(target.path);
  }
}

/** Whether a path or a URL is that of a file that was installed. */
export const isInPackage = (path: string): boolean => path.includes('/node_modules/');

const isLoader = ({specifier}: WrittenImport): boolean => specifier === 'module' || specifier === 'node:module';
