import {randomUUID} from 'node:crypto';
import {rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {systemCode} from './store-error.ts';

/**
 * What the file system that a folder is on takes for now, in milliseconds since 1970. The age of a file is told by this and not by the clock of this
 * machine, which may be hours from a file server's, or may have been set. Where nothing can be written, this machine's clock must do.
 */
export function diskNow(folder: string): number {
  const probe = join(folder, `clock-${randomUUID()}`);
  try {
    writeFileSync(probe, '');
    return statSync(probe).mtimeMs;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return Date.now();
  } finally {
    rmSync(probe, {force: true});
  }
}
