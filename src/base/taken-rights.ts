import {chmodSync, lstatSync, type Stats} from 'node:fs';

/**
 * Has the owner of a file or folder read it again, and write to the folder, whatever a program made of its rights; of a file with another
 * name they are somebody's wish, and a link is never followed. Where that is not this user's to do, whoever uses it is told by the system.
 */
export function giveRightsBack(path: string): Stats | undefined {
  try {
    const status = lstatSync(path);
    const wanted = status.isDirectory() ? 0o700 : status.isFile() && status.nlink === 1 ? 0o400 : 0;
    if ((status.mode & wanted) !== wanted) chmodSync(path, (status.mode & 0o7777) | wanted);
    return status;
  } catch {
    return undefined;
  }
}
