import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {isKey, type Key} from '../base/digest.ts';
import type {StoreRecord} from './record.ts';
import {parseRecordOf} from './record-file.ts';
import type {RecordIndex} from './record-index.ts';
import {syncRemembered} from './remembered-file.ts';
import {systemCode} from './store-error.ts';
import {recordPath, type StoreLayout} from './store-layout.ts';

/** A change time younger than this may still get a second change under the same time stamp. */
export const RACY_MILLISECONDS = 2000;

/**
 * Brings an index to agree with the files: a new index, one that missed what another driver wrote, and records that somebody
 * deleted are all the same case. A folder whose change time is the one noted is not even listed.
 */
export function syncIndex(index: RecordIndex, layout: StoreLayout): void {
  const known = index.folders();
  const names = entriesOf(layout.keys).filter((name) => /^[0-9a-f]{2}$/.test(name));
  const there = new Set(names);
  const changes: (() => void)[] = [];
  for (const name of names) {
    const folder = join(layout.keys, name);
    const status = statSync(folder, {bigint: true, throwIfNoEntry: false});
    if (status === undefined || known.get(name) === String(status.mtimeNs)) continue;
    const age = Date.now() - Number(status.mtimeMs);
    const {added, gone} = compareFolder(index, layout, name);
    const mtime = age > RACY_MILLISECONDS ? String(status.mtimeNs) : undefined;
    if (added.length === 0 && gone.length === 0 && mtime === undefined) continue;
    changes.push(() => {
      for (const record of added) index.add(record);
      for (const key of gone) index.drop(key);
      index.setFolder(name, mtime);
    });
  }
  for (const name of new Set([...known.keys(), ...index.recordFolders()])) {
    if (there.has(name)) continue;
    changes.push(() => {
      for (const key of index.keysIn(name)) index.drop(key);
      index.setFolder(name, undefined);
    });
  }
  if (changes.length > 0)
    index.transaction(() => {
      for (const change of changes) change();
    });
  syncRemembered(index, layout);
}

function compareFolder(
  index: RecordIndex,
  layout: StoreLayout,
  name: string,
): {added: readonly StoreRecord[]; gone: readonly Key[]} {
  const gone = index.keysIn(name);
  const added: StoreRecord[] = [];
  for (const entry of entriesOf(join(layout.keys, name))) {
    const key = entry.replace(/\.json$/, '');
    if (!isKey(key) || key === entry || gone.delete(key)) continue;
    const record = readRecordFile(layout.root, key);
    if (record) added.push(record);
  }
  return {added, gone: [...gone]};
}

/** The record of a key from its file; cut, foreign or missing is nothing. */
export function readRecordFile(root: string, key: Key): StoreRecord | undefined {
  try {
    return parseRecordOf(key, readFileSync(recordPath(root, key), 'utf8'));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}
