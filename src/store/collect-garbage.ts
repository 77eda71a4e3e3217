import {rm} from 'node:fs/promises';
import {chooseEvictions, type Eviction} from './choose-evictions.ts';
import {diskNow} from './disk-clock.ts';
import type {Store} from './store.ts';
import {storeError} from './store-error.ts';
import {storeLayout} from './store-layout.ts';
import {type StoredFile, storedPayloads} from './stored-files.ts';

export interface Collection {
  /** Of all payloads. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly payloadsBefore: number;
  readonly evictions: readonly Eviction[];
}

/**
 * Makes the payloads of a store fit a budget of bytes. Records stay: they are small, they keep what is below them cached, and an
 * instance whose payload is gone runs again only when something that runs needs it. A driver that works on the store meanwhile
 * finds a payload missing and computes it again.
 */
export async function collectGarbage(
  store: Store,
  {budget, dryRun}: {readonly budget: number; readonly dryRun: boolean},
): Promise<Collection> {
  try {
    const layout = storeLayout(store.root);
    const now = diskNow(layout);
    const payloads: StoredFile<StoredPayloadName>[] = [];
    for await (const payload of storedPayloads(layout)) payloads.push(payload);
    const evictions = chooseEvictions(payloads, store.costs(), store.currentKeys(), {budget, now});
    if (!dryRun) for (const {payload} of evictions) await rm(payload.path, {force: true});
    const bytesBefore = sum(payloads);
    return {
      bytesBefore,
      bytesAfter: bytesBefore - sum(evictions.map(({payload}) => payload)),
      payloadsBefore: payloads.length,
      evictions,
    };
  } catch (error) {
    throw storeError(error, 'remove payloads from', store.root);
  }
}

type StoredPayloadName = Eviction['payload']['name'];

const sum = (files: readonly {readonly bytes: number}[]): number => files.reduce((total, {bytes}) => total + bytes, 0);
