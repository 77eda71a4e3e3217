import {mkdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {writeWhole} from './write-whole.mjs';

const stampFolder = (root) => join(root, 'node_modules', '.basin');

/** Whether the packages were installed, by us, from the lock file as it is now. */
export async function isStampedFor(root) {
  try {
    const [now, then] = await Promise.all(
      [root, stampFolder(root)].map((folder) => readFile(join(folder, 'package-lock.json'))),
    );
    return now.equals(then);
  } catch {
    return false;
  }
}

/**
 * Records that a checkout is prepared, for bin/basin-node to compare: the lock file the packages were installed from, and
 * two lines, the Node that was first on the PATH (`-` for none) and the one to use. The lock file goes last: it decides.
 */
export async function writeStamp(root, {asked, runtime}) {
  const folder = stampFolder(root);
  await mkdir(folder, {recursive: true});
  const lock = await readFile(join(root, 'package-lock.json'));
  await writeWhole(join(folder, 'runtime'), `${asked}\n${runtime}\n`);
  await writeWhole(join(folder, 'package-lock.json'), lock);
}
