import {constants, type Stats} from 'node:fs';
import {chmod, copyFile, mkdir, stat, symlink, writeFile} from 'node:fs/promises';
import {dirname} from 'node:path';

/** A copy of more than this costs more than it protects. */
const LARGEST_COPY = 16 * 2 ** 20;

// A program sees the rights of what it is handed, so neither those that somebody gave the original nor a umask decide them.
const PLAIN = 0o644;
const EXECUTABLE = 0o755;

// Some file systems have none.
const setRights = (path: string, rights: number): Promise<void> => chmod(path, rights).catch(() => undefined);

/** Whether its owner may execute it. */
export const isExecutable = ({mode}: Stats): boolean => (mode & 0o100) !== 0;

/**
 * A file of the user's where a program expects it: a copy, shared with the original where the file system can, so that nothing writes to
 * the original and a script does not find its undeclared neighbours.
 */
export async function placeCopy(from: string, to: string, executable = false): Promise<void> {
  await mkdir(dirname(to), {recursive: true});
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await setRights(to, executable ? EXECUTABLE : PLAIN);
}

/** A text where a program expects a file. */
export async function placeText(text: string, to: string): Promise<void> {
  await writeFile(to, text);
  await setRights(to, PLAIN);
}

/**
 * A file of the store's where a program expects it: a copy that it may write to; of a large one a link where the file system cannot share. It
 * may be executed, whoever gave these bytes first and with whatever rights: it may be a program that another one built.
 */
export async function placeStored(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), {recursive: true});
  if (await copyIfCheap(from, to)) await setRights(to, EXECUTABLE);
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
