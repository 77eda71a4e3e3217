import {createHash} from 'node:crypto';
import {open} from 'node:fs/promises';
import type {Digest} from '../base/digest.ts';
import {storeError, systemCode} from './store-error.ts';
import {blobPath} from './store-layout.ts';

const CHUNK = 16 * 2 ** 20;

/**
 * A blob's bytes, hashed as they are read (in chunks, since Node refuses to read more than 2 GiB at once), and never handed out
 * when they are not what their name says. Needs only the store's root, so a worker can use it.
 */
export async function readBlob(root: string, digest: Digest): Promise<Uint8Array<ArrayBuffer> | 'missing' | 'damaged'> {
  try {
    const file = await open(blobPath(root, digest), 'r');
    try {
      const {size} = await file.stat();
      const bytes = new Uint8Array(size);
      const hash = createHash('sha256');
      for (let at = 0; at < size; ) {
        const {bytesRead} = await file.read(bytes, at, Math.min(CHUNK, size - at), at);
        if (bytesRead === 0) return 'damaged';
        hash.update(bytes.subarray(at, at + bytesRead));
        at += bytesRead;
      }
      return hash.digest('hex') === digest ? bytes : 'damaged';
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return 'missing';
    if (code === 'EIO' || code === 'EISDIR') return 'damaged';
    throw storeError(error, 'read', root);
  }
}
