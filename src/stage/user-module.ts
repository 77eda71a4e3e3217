import {UserError} from '../base/user-error.ts';
import {importFault, placeBefore} from './import-fault.ts';
import {LIBRARY} from './library.ts';
import {importWithClosure} from './module-closure.ts';
import {nameOfModule, placeOfModule, referenceTo} from './module-reference.ts';

/**
 * A module of the user's that is no stage (a model, a data set) by what it is: `module:DIGEST`, the digest of all that
 * it imports. It stands in keys and artifacts; where the file lies and what it is called does not.
 */
export interface UserModule {
  readonly reference: string;
  /** What it exports by default. */
  readonly exported: unknown;
}

const opened = new Map<string, Promise<UserModule>>();

/** Imports a module by its absolute path. @throws UserError that says what is wrong with it, and where. */
export async function findModule(path: string): Promise<UserModule> {
  try {
    const {exported, closure} = await importWithClosure(path, LIBRARY);
    return {reference: referenceTo(closure, path), exported};
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
  const path = placeOfModule(reference);
  const name = nameOfModule(reference);
  if (path === undefined) {
    throw new UserError(
      `The weights were made by ${name === undefined ? 'a model file of yours' : `the file ${name}`}, and no node of this pipeline names that file as it was then.`,
      'Load them in the pipeline whose pretrain-load names it.',
    );
  }
  const found = await findModule(path);
  if (found.reference === reference) return found;
  throw new UserError(`${name}, or what it imports, changed while the pipeline ran.`, 'Run it again.');
}
