import {closeSync, existsSync, fstatSync, ftruncateSync} from 'node:fs';
import {openToAdd} from './own-file.ts';
import {systemCode} from './store-error.ts';
import type {StoreLayout} from './store-layout.ts';

/**
 * What the file system of a store takes for now, in milliseconds since 1970. The age of a file is told by this and not by the clock of this machine,
 * which may be hours from a file server's, or may have been set. The file of the leases is touched for it, which nothing else is read from, so that
 * nothing can be left behind. Where nothing can be written, and where there is no store yet, this machine's clock must do.
 */
export function diskNow({format, leases}: StoreLayout): number {
  if (!existsSync(format)) return Date.now();
  try {
    const file = openToAdd(leases);
    try {
      ftruncateSync(file, fstatSync(file).size); // to what it has: that touches it, and nothing is lost whatever it is
      return fstatSync(file).mtimeMs;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return Date.now();
  }
}
