import {chmodSync, statSync} from 'node:fs';

/** A payload that a test may damage, also where it is not run by root. */
export function writable(path: string): string {
  chmodSync(path, statSync(path).mode | 0o200);
  return path;
}
