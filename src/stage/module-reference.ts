import {basename} from 'node:path';
import {type Digest, isDigest} from '../base/digest.ts';

/** As older versions of basin wrote it, a reference ends with the name of the file. */
const REFERENCE = /^module:([0-9a-f]{64})(?::([^/\\]+))?$/;
/** How a module of the user's is written in a pipeline (a path), or stands in a key. */
export const USER_MODULE = /^(\.{0,2}\/|module:[0-9a-f]{64}(:[^/\\]+)?$)/;

/** Where each module lies that this process has heard of. */
const places = new Map<Digest, string>();

/** Where the modules lie that this process has found: for the workers, which open them by reference. */
export const knownModules = (): Readonly<Record<string, string>> => Object.fromEntries(places);

export function noteModules(modules: Readonly<Record<string, string>>): void {
  for (const [closure, path] of Object.entries(modules)) if (isDigest(closure)) places.set(closure, path);
}

/** What stands for a module that lies here. */
export function referenceTo(closure: Digest, path: string): string {
  places.set(closure, path);
  return `module:${closure}`;
}

export const isReference = (text: string): boolean => REFERENCE.test(text);

/** Where the module of a reference lies, as far as this process knows. */
export function placeOfModule(reference: string): string | undefined {
  const [, closure = ''] = REFERENCE.exec(reference) ?? [];
  return isDigest(closure) ? places.get(closure) : undefined;
}

/** The name of its file, which is in no key; nothing when nobody knows it here. */
export function nameOfModule(reference: string): string | undefined {
  const path = placeOfModule(reference);
  return path === undefined ? REFERENCE.exec(reference)?.[2] : basename(path);
}
