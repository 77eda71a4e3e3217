import {rename, writeFile} from 'node:fs/promises';

/** Writes a file that is seen whole or not at all, after a loss of power too. */
export async function writeWhole(path, content) {
  const half = `${path}.${process.pid}`;
  await writeFile(half, content, {flush: true});
  await rename(half, path);
}
