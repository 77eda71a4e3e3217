import {readFileSync, realpathSync, statSync} from 'node:fs';
import {isBuiltin} from 'node:module';
import {relative} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {canonicalJson} from '../base/canonical-json.ts';
import {type Digest, digestOf} from '../base/digest.ts';
import {cannotImport, ImportError, isRelative} from './import-error.ts';
import {identitiesOfPackages, identityOfPackage, installed} from './package-version.ts';
import {mayImportLate, type WrittenImport, writtenImports} from './written-imports.ts';

const AT_THE_TOP = 'Import it at the top of the file: what is imported later is in no key.';
const IN_NO_KEY = 'Run it again; if that does not help, import it at the top of a file.';
/** Modules whose text has imports. */
const CODE = /\.[cm]?[jt]s$/;

/** What a user's module and everything that it imports are: own files by content, packages by name and version. */
export class Closure {
  readonly #root: string;
  /** A file of basin, which its users import as a package. */
  readonly #library: string;
  readonly #files = new Map<string, Digest>();
  readonly #packages = new Set<string>();
  #unread: {readonly path: string; readonly why: string} | undefined;
  #isSealed = false;

  constructor(root: string, library: string) {
    this.#root = root;
    this.#library = library;
  }

  has(path: string): boolean {
    return this.#files.has(relative(this.#root, path));
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
    const files = Object.fromEntries([...this.#files].sort(([one], [other]) => (one < other ? -1 : 1)));
    return digestOf(canonicalJson({files, packages: [...this.#packages].sort()}));
  }

  /** Takes in the package of a file. @throws ImportError when the closure is sealed without it. */
  addPackage(path: string, specifier: string, from: string): void {
    if (!this.#isSealed) for (const one of identitiesOfPackages(path, this.#library)) this.#packages.add(one);
    else if (!this.#packages.has(identityOfPackage(path)))
      throw new ImportError(`"${specifier}" is in no key.`, from, {text: specifier, start: 0}, IN_NO_KEY);
  }

  /**
   * Takes in one of the user's own files as Node has read it, with what it imports while it runs; what it imports before that, Node makes known
   * file by file.
   *
   * @throws ImportError for what nobody can follow, and when the closure is sealed without this file.
   */
  addFile(path: string, bytes: Buffer): void {
    const name = relative(this.#root, path);
    if (this.#isSealed) {
      if (this.#files.get(name) !== digestOf(bytes))
        throw new ImportError(`${name} is in no key as it is now.`, path, {text: '', start: 0}, IN_NO_KEY);
      return;
    }
    this.#files.set(name, digestOf(bytes));
    const text = bytes.toString();
    if (!CODE.test(path) || !mayImportLate(text)) return;
    for (const found of this.#importsOf(path, text)) if (found.isDynamic || isLoader(found)) this.#follow(found, path);
  }

  /** Takes in a file that does not run now, and all that it would import. */
  #addLater(path: string): void {
    if (this.has(path)) return;
    const bytes = readFileSync(path);
    this.#files.set(relative(this.#root, path), digestOf(bytes));
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
    if (isBuiltin(specifier)) return;
    if (isRelative(specifier) || specifier.startsWith('file:')) {
      const target = fileURLToPath(new URL(specifier, pathToFileURL(path)));
      if (!statSync(target, {throwIfNoEntry: false})?.isFile()) throw cannotImport(specifier, path, found);
      const real = realpathSync(target);
      if (real.includes('/node_modules/')) this.addPackage(real, specifier, path);
      else this.#addLater(real);
      return;
    }
    const manifest =
      specifier === 'lossbasin' ? this.#library : (installed(specifier, path) ?? installed(specifier, this.#library));
    if (manifest === undefined) throw cannotImport(specifier, path, found);
    this.addPackage(manifest, specifier, path);
  }
}

const isLoader = ({specifier}: WrittenImport): boolean => specifier === 'module' || specifier === 'node:module';
