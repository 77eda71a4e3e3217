import {join} from 'node:path';
import type {Digest, Key} from '../base/digest.ts';

/** Raised when a store of an older basin could not be read, or an older basin would misread ours. */
export const STORE_FORMAT = 1;

/** Where everything lies under a store's root; the only place that knows. */
export const storeLayout = (root: string) => ({
  root,
  format: join(root, 'FORMAT'),
  keys: join(root, 'keys'),
  blobs: join(root, 'blobs'),
  runs: join(root, 'runs'),
  scratch: join(root, 'scratch'),
  tmp: join(root, 'tmp'),
  index: join(root, 'index.sqlite'),
  /** Bytes of this file are locked, one per key; it stays empty. */
  leases: join(root, 'leases'),
  /** Which key each instance had, in the order of time; what `explain` compares with. */
  remembered: join(root, 'runs', 'remembered.jsonl'),
  forgotten: join(root, 'runs', 'forgotten.jsonl'),
});
export type StoreLayout = ReturnType<typeof storeLayout>;

export const blobPath = (root: string, digest: Digest): string =>
  join(root, 'blobs', digest.slice(0, 2), `${digest}.arrow`);
export const recordPath = (root: string, key: Key): string => join(root, 'keys', key.slice(0, 2), `${key}.json`);
/** What a long stage keeps between attempts; gone once its key is published. */
export const scratchPath = (root: string, key: Key): string => join(root, 'scratch', key);
