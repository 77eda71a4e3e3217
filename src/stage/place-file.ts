import {constants} from 'node:fs';
import {chmod, copyFile, mkdir, stat, symlink} from 'node:fs/promises';
import {dirname} from 'node:path';

/** A copy of more than this costs more than it protects. */
const LARGEST_COPY = 16 * 2 ** 20;

/**
 * A file of the user's where a program expects it: a copy, shared with the original where the file system can, so that nothing writes to
 * the original and a script does not find its undeclared neighbours.
 */
export async function placeCopy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), {recursive: true});
  await copyFile(from, to, constants.COPYFILE_FICLONE);
}

/** A file of the store's where a program expects it: a copy that it may write to; of a large one a link where the file system cannot share. */
export async function placeStored(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), {recursive: true});
  if (await copyIfCheap(from, to)) await chmod(to, (await stat(to)).mode | 0o200);
  else await symlink(from, to);
}

/** False of a large file where the file system cannot share its bytes. */
export async function copyIfCheap(from: string, to: string): Promise<boolean> {
  const isLarge = (await stat(from)).size > LARGEST_COPY;
  try {
    await copyFile(from, to, isLarge ? constants.COPYFILE_FICLONE_FORCE : constants.COPYFILE_FICLONE);
    return true;
  } catch (error) {
    if (!isLarge) throw error;
    return false;
  }
}
