import {basename} from 'node:path';
import {type Digest, isDigest} from '../base/digest.ts';
import {UserError} from '../base/user-error.ts';
import {importFault, placeBefore} from './import-fault.ts';
import {LIBRARY} from './library.ts';
import {importWithClosure} from './module-closure.ts';

/**
 * A module of the user's that is no stage (a model, a data set) by what it is: `module:DIGEST:NAME`, the digest of all that
 * it imports and the name of its file. It stands in keys and artifacts; where the file lies does not.
 */
export interface UserModule {
  readonly reference: string;
  /** What it exports by default. */
  readonly exported: unknown;
}

const REFERENCE = /^module:([0-9a-f]{64}):([^/\\]+)$/;
/** How such a module is written in a pipeline (a path), or stands in a key. */
export const USER_MODULE = /^(\.{0,2}\/|module:[0-9a-f]{64}:[^/\\]+$)/;

/** Where each module lies that this process has heard of. */
const places = new Map<Digest, string>();
const opened = new Map<string, Promise<UserModule>>();

/** Where the modules lie that this process has found: for the workers, which open them by reference. */
export const knownModules = (): Readonly<Record<string, string>> => Object.fromEntries(places);

export function noteModules(modules: Readonly<Record<string, string>>): void {
  for (const [closure, path] of Object.entries(modules)) if (isDigest(closure)) places.set(closure, path);
}

/** Imports a module by its absolute path. @throws UserError that says what is wrong with it, and where. */
export async function findModule(path: string): Promise<UserModule> {
  try {
    const {exports, closure} = await importWithClosure(path, LIBRARY);
    places.set(closure, path);
    const exported =
      typeof exports === 'object' && exports !== null && 'default' in exports ? exports.default : undefined;
    return {reference: `module:${closure}:${basename(path)}`, exported};
  } catch (error) {
    const fault = importFault(error, path);
    throw new UserError(`${placeBefore(fault)}${fault.message}`, fault.hint);
  }
}

/** The module of a reference, which is found again wherever it lies now. @throws UserError when it is gone, or another one. */
export function openModule(reference: string): Promise<UserModule> {
  const known = opened.get(reference);
  if (known) return known;
  const opening = open(reference);
  opened.set(reference, opening);
  opening.catch(() => opened.delete(reference));
  return opening;
}

async function open(reference: string): Promise<UserModule> {
  const [, closure = '', name = reference] = REFERENCE.exec(reference) ?? [];
  const path = isDigest(closure) ? places.get(closure) : undefined;
  if (path === undefined) {
    throw new UserError(
      `The weights were made by the file ${name}, and no node of this pipeline names that file as it was then.`,
      'Load them in the pipeline whose pretrain-load names it.',
    );
  }
  const found = await findModule(path);
  if (found.reference === reference) return found;
  throw new UserError(`${name}, or what it imports, changed while the pipeline ran.`, 'Run it again.');
}
