import type {Digest} from '../base/digest.ts';
import {readDigested} from '../base/digested-files.ts';
import {storeError, systemCode} from './store-error.ts';
import {blobPath} from './store-layout.ts';

/**
 * A blob's bytes, hashed as they are read and never handed out when they are not what their name says. Needs only the store's root, so a worker can use it.
 */
export async function readBlob(root: string, digest: Digest): Promise<Uint8Array<ArrayBuffer> | 'missing' | 'damaged'> {
  try {
    const {bytes, digest: found} = await readDigested(blobPath(root, digest));
    return found === digest ? bytes : 'damaged';
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return 'missing';
    if (code === 'EIO' || code === 'EISDIR') return 'damaged';
    throw storeError(error, 'read', root);
  }
}
