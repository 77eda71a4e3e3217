import {constants} from 'node:fs';
import {copyFile, mkdir, stat, symlink} from 'node:fs/promises';
import {dirname} from 'node:path';

/** A copy of more than this costs more than it protects. */
const LARGEST_COPY = 16 * 2 ** 20;

/**
 * Puts a file where a program expects it. Small ones are copies (shared with the original where the file system can), so that nothing
 * writes to the original and a script does not find its undeclared neighbours; large ones are links.
 */
export async function placeFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), {recursive: true});
  const {size} = await stat(from);
  if (size > LARGEST_COPY) await symlink(from, to);
  else await copyFile(from, to, constants.COPYFILE_FICLONE);
}
