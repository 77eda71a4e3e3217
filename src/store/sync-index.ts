import {statSync} from 'node:fs';
import {join} from 'node:path';
import {isKey, type Key} from '../base/digest.ts';
import {namesIn} from './names-in.ts';
import {readStampedRecord, type StampedRecord, stampOfFile, stampOfRecord} from './read-record.ts';
import type {RecordIndex} from './record-index.ts';
import {syncRemembered} from './remembered-file.ts';
import {isSystemError} from './store-error.ts';
import type {StoreLayout} from './store-layout.ts';

/** A change time younger than this may still get a second change under the same time stamp. */
const RACY_MILLISECONDS = 2000;

/**
 * Brings an index to agree with the files: a new index, one that missed what another driver wrote, and records that somebody
 * deleted or put in the place of others are all the same case. A folder whose change time is the one noted is not even listed.
 */
export function syncIndex(index: RecordIndex, layout: StoreLayout): void {
  const known = index.folders();
  const names = recordFoldersIn(layout);
  const there = new Set(names);
  const changes: (() => void)[] = [];
  for (const name of names) {
    const folder = join(layout.keys, name);
    const status = statSync(folder, {bigint: true, throwIfNoEntry: false});
    if (status?.isDirectory() === false) there.delete(name);
    if (!status?.isDirectory() || known.get(name) === String(status.mtimeNs)) continue;
    const age = Date.now() - Number(status.mtimeMs);
    const {added, changed, gone, isAllRead} = compareFolder(index, layout, name);
    // When a record may be read again, nothing else changes.
    const mtime = age > RACY_MILLISECONDS && isAllRead ? String(status.mtimeNs) : undefined;
    if (added.length + changed.length + gone.length === 0 && mtime === undefined) continue;
    changes.push(() => {
      for (const record of added) index.add(record);
      putAsTheyLie(index, layout, changed);
      for (const key of gone) index.drop(key);
      index.setFolder(name, mtime);
    });
  }
  for (const name of new Set([...known.keys(), ...index.recordFolders()])) {
    if (there.has(name)) continue;
    changes.push(() => {
      for (const key of index.stampsIn(name).keys()) index.drop(key);
      index.setFolder(name, undefined);
    });
  }
  if (changes.length > 0)
    index.transaction(() => {
      for (const change of changes) change();
    });
  syncRemembered(index, layout);
}

/** In a transaction: a record that another driver put into its place since is not to be had from here, but from its file. */
export function putAsTheyLie(index: RecordIndex, {root}: StoreLayout, records: Iterable<StampedRecord>): void {
  for (const stamped of records) {
    const {key} = stamped.record;
    if (liesThere(root, stamped)) index.put(stamped);
    else index.drop(key);
  }
}

/** Where it cannot be looked at, nothing is told of it. */
function liesThere(root: string, {record, stamp}: StampedRecord): boolean {
  try {
    return stampOfRecord(root, record.key) === stamp;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

/** Names of the folders in which records lie. */
export const recordFoldersIn = ({keys}: StoreLayout): readonly string[] =>
  namesIn(keys).filter((name) => /^[0-9a-f]{2}$/.test(name));

/** The key whose record a file is by its name. */
export function keyOfRecordFile(name: string): Key | undefined {
  const key = name.replace(/\.json$/, '');
  return isKey(key) && key !== name ? key : undefined;
}

interface Comparison {
  readonly added: readonly StampedRecord[];
  readonly changed: readonly StampedRecord[];
  readonly gone: readonly Key[];
  readonly isAllRead: boolean;
}

function compareFolder(index: RecordIndex, {root, keys}: StoreLayout, name: string): Comparison {
  const stamps = index.stampsIn(name);
  const gone = new Set(stamps.keys());
  const [added, changed]: [StampedRecord[], StampedRecord[]] = [[], []];
  const folder = join(keys, name);
  let isAllRead = true;
  for (const entry of namesIn(folder)) {
    const key = keyOfRecordFile(entry);
    if (key === undefined) continue;
    const known = stamps.get(key);
    if (known !== undefined && known === stampOfFile(`${folder}/${entry}`)) {
      gone.delete(key);
      continue;
    }
    const record = readStampedRecord(root, key, () => {
      isAllRead = false;
    });
    if (!record) continue;
    if (gone.delete(key)) changed.push(record);
    else added.push(record);
  }
  return {added, changed, gone: [...gone], isAllRead};
}
