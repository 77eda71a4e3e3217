import type {Digest} from '../base/digest.ts';
import type {Store} from '../store/store.ts';
import {StoreError} from '../store/store-error.ts';

/** A blob's bytes, or why there are none. One that is damaged is removed, so that the next run that needs it knows. */
export async function readStored(store: Store, digest: Digest): Promise<Uint8Array | 'missing' | 'damaged'> {
  const bytes = await store.readBlob(digest);
  if (bytes !== 'damaged') return bytes;
  try {
    await store.discardBlob(digest);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error; // it can be looked at, not written to, and no run goes on there
  }
  return bytes;
}
