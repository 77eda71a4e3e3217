import type {RmOptions} from 'node:fs';
import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {giveRightsBack} from '../base/taken-rights.ts';
import {systemCode} from './store-error.ts';

/** Removes a folder with all that is in it, also where a program has left folders that nobody may write to (a cache of Go's modules). */
export async function removeFolder(path: string, options: RmOptions = {}): Promise<void> {
  const remove = () => rm(path, {...options, recursive: true, force: true});
  try {
    await remove();
  } catch (error) {
    if (systemCode(error) !== 'EACCES' && systemCode(error) !== 'EPERM') throw error;
    await openFolders(path);
    await remove();
  }
}

/** A folder is opened before it is looked into; one of another user's may stay closed. */
async function openFolders(path: string): Promise<void> {
  if (giveRightsBack(path)?.isDirectory() !== true) return;
  const entries = await readdir(path, {withFileTypes: true}).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await openFolders(join(path, entry.name));
}
