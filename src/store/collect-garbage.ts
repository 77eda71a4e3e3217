import {rm} from 'node:fs/promises';
import {type Digest, isKey} from '../base/digest.ts';
import {chooseEvictions, type Eviction, type Spare} from './choose-evictions.ts';
import {diskNow} from './disk-clock.ts';
import {whenUnused} from './lease.ts';
import {trimRemembered} from './remembered-file.ts';
import type {Store} from './store.ts';
import {storeError} from './store-error.ts';
import {type StoreLayout, storeLayout} from './store-layout.ts';
import {type StoredFile, storedLogs, storedPayloads, storedScratch} from './stored-files.ts';

/** A younger log may be of a run that is not over, and is what `basin log` shows. */
const OLD_LOG_MILLISECONDS = 30 * 24 * 3_600_000;

export interface Collection {
  /** Of all payloads, of checkpoints that nobody works on, and of logs older than a month. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly payloadsBefore: number;
  /** Checkpoint folders and logs that were counted. */
  readonly sparesBefore: number;
  readonly evictions: readonly Eviction[];
}

/**
 * Makes what may be removed of a store fit a budget of bytes. Records stay: they are small, they keep what is below them cached, and an
 * instance whose payload is gone runs again only when something that runs needs it; one whose checkpoint is gone starts from its beginning. A driver that
 * works on the store meanwhile finds a payload missing and computes it again.
 */
export async function collectGarbage(
  store: Store,
  {budget, dryRun}: {readonly budget: number; readonly dryRun: boolean},
): Promise<Collection> {
  try {
    const layout = storeLayout(store.root);
    const now = diskNow(layout);
    const payloads: StoredFile<Digest>[] = [];
    for await (const payload of storedPayloads(layout)) payloads.push(payload);
    const spares = await sparesOf(layout, now);
    const chosen = chooseEvictions(payloads, store.costs(), store.currentKeys(), {budget, now}, spares);
    const evictions: Eviction[] = [];
    for (const eviction of chosen) if (dryRun || (await evict(store.root, eviction))) evictions.push(eviction);
    if (!dryRun) trimRemembered(layout);
    const bytesBefore = sum(payloads) + sum(spares.map(({file}) => file));
    return {
      bytesBefore,
      bytesAfter: bytesBefore - sum(evictions.map(({file}) => file)),
      payloadsBefore: payloads.length,
      sparesBefore: spares.length,
      evictions,
    };
  } catch (error) {
    throw storeError(error, 'remove payloads from', store.root);
  }
}

async function sparesOf(layout: StoreLayout, now: number): Promise<readonly Spare[]> {
  const spares: Spare[] = [];
  for (const file of await storedLogs(layout))
    if (now - file.since > OLD_LOG_MILLISECONDS) spares.push({file, reason: 'old-log'});
  for (const file of await storedScratch(layout))
    if (await whenUnused(layout.root, file.name, async () => {})) spares.push({file, reason: 'unfinished'});
  return spares;
}

/** False when it is in use by now. */
async function evict(root: string, {file: {name, path}, reason}: Eviction): Promise<boolean> {
  const remove = () => rm(path, {recursive: true, force: true});
  if (reason === 'unfinished' && isKey(name)) return whenUnused(root, name, remove);
  await remove();
  return true;
}

const sum = (files: readonly {readonly bytes: number}[]): number => files.reduce((total, {bytes}) => total + bytes, 0);
