import type {Digest} from '../base/digest.ts';
import type {Store} from '../store/store.ts';
import {StoreError} from '../store/store-error.ts';

/** A blob's bytes, or why there are none. One that is damaged is removed, so that the next run that needs it knows. */
export const readStored = (store: Store, digest: Digest): Promise<Uint8Array | 'missing' | 'damaged'> =>
  withoutDamaged(store, digest, store.readBlob(digest));

/** As `readStored`, of a blob that need not fit into memory: whether it is whole. */
export const checkStored = (store: Store, digest: Digest): Promise<'whole' | 'missing' | 'damaged'> =>
  withoutDamaged(store, digest, store.stateOfBlob(digest));

async function withoutDamaged<T>(
  store: Store,
  digest: Digest,
  reading: Promise<T | 'damaged'>,
): Promise<T | 'damaged'> {
  const read = await reading;
  if (read !== 'damaged') return read;
  try {
    await store.discardBlob(digest);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error; // it can be looked at, not written to, and no run goes on there
  }
  return read;
}
