import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {type Digest, isKey, type Key} from '../base/digest.ts';
import {chooseEvictions, type Eviction, type RecordCost, type Spare} from './choose-evictions.ts';
import {diskNow} from './disk-clock.ts';
import {whenUnused} from './lease.ts';
import {namesIn} from './names-in.ts';
import {readStampedRecord} from './read-record.ts';
import type {StoreRecord} from './record.ts';
import {requireRemembered, trimRemembered} from './remembered-file.ts';
import type {Store} from './store.ts';
import {isSystemError, StoreError, storeError, whyNotRead} from './store-error.ts';
import {recordPath, type StoreLayout, storeLayout} from './store-layout.ts';
import {type StoredFile, storedLogs, storedPayloads, storedScratch} from './stored-files.ts';
import {keyOfRecordFile, recordFoldersIn} from './sync-index.ts';

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
    requireRemembered(layout);
    const chosen = chooseEvictions(payloads, costsOfAll(store, layout), store.currentKeys(), {budget, now}, spares);
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

/**
 * What every record names, also of those that the index lacks: what was not readable when that last looked may be now. Read after the payloads were
 * listed, so that what came meanwhile has its record.
 *
 * @throws where a record or a folder of records cannot be read: its payloads would be taken for nobody's.
 */
function costsOfAll(store: Store, layout: StoreLayout): readonly RecordCost[] {
  const indexed = store.costs();
  const known = new Set(indexed.map(({key}) => key));
  const others: RecordCost[] = [];
  for (const folder of recordFoldersIn(layout))
    for (const name of namesIn(join(layout.keys, folder))) {
      const key = keyOfRecordFile(name);
      if (key === undefined || known.has(key)) continue;
      const read = readStampedRecord(layout.root, key, (error) => {
        throw unreadRecord(layout.root, key, error);
      });
      if (read) others.push(costOf(read.record));
    }
  return [...indexed, ...others];
}

function unreadRecord(root: string, key: Key, error: unknown): unknown {
  if (!isSystemError(error)) return error;
  return new StoreError(
    'store-failed',
    `Cannot remove payloads from the cache at ${root}: its record ${recordPath(root, key)} cannot be read (${whyNotRead(error)}), so nobody knows which payloads it names.`,
    'Make it readable, or remove it: then what it tells of is computed again where it is needed.',
    {cause: error},
  );
}

const costOf = ({key, preimage, outputs, seconds}: StoreRecord): RecordCost => ({
  ...{key, seconds, stage: String(preimage.stage)},
  digests: Object.values(outputs).map(({digest}) => digest),
});

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
