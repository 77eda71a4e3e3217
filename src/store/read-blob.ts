import {stat} from 'node:fs/promises';
import type {Digest} from '../base/digest.ts';
import {digestOfFile, readDigested} from '../base/digested-files.ts';
import {storeError, systemCode} from './store-error.ts';
import {blobPath} from './store-layout.ts';

/**
 * A blob's bytes, hashed as they are read and never handed out when they are not what their name says. Needs only the store's root, so a worker can use it.
 */
export const readBlob = (root: string, digest: Digest): Promise<Uint8Array<ArrayBuffer> | 'missing' | 'damaged'> =>
  orWhyNot(root, async () => {
    const {bytes, digest: found} = await readDigested(blobPath(root, digest));
    return found === digest ? bytes : 'damaged';
  });

/** As `readBlob`, of a file that need not fit into memory; by default that of a blob in its place. */
export const stateOfBlob = (
  root: string,
  digest: Digest,
  path = blobPath(root, digest),
): Promise<'whole' | 'missing' | 'damaged'> =>
  orWhyNot(root, async () => {
    if (!(await stat(path)).isFile()) return 'damaged';
    return (await digestOfFile(path)) === digest ? 'whole' : 'damaged';
  });

async function orWhyNot<T>(root: string, read: () => Promise<T>): Promise<T | 'missing' | 'damaged'> {
  try {
    return await read();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return 'missing';
    if (code === 'EIO' || code === 'EISDIR') return 'damaged';
    throw storeError(error, 'read', root);
  }
}
