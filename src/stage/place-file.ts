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
  const {size, mode} = await stat(from);
  const isLarge = size > LARGEST_COPY;
  try {
    await copyFile(from, to, isLarge ? constants.COPYFILE_FICLONE_FORCE : constants.COPYFILE_FICLONE);
    await chmod(to, mode | 0o200);
  } catch (error) {
    if (!isLarge) throw error;
    await symlink(from, to);
  }
}
