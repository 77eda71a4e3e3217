import {closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {isKey, type Key} from '../base/digest.ts';
import {isJsonObject, type Json} from '../base/json.ts';
import type {StoreRecord} from './record.ts';
import {parseRecordOf} from './record-file.ts';
import type {RecordIndex} from './record-index.ts';
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

const READ_TO = 'remembered-bytes';

/** Takes in the lines that were appended to `runs/remembered.jsonl` since this index last looked. */
export function syncRemembered(index: RecordIndex, layout: StoreLayout): void {
  const size = statSync(layout.remembered, {throwIfNoEntry: false})?.size ?? 0;
  if (size === Number(index.note(READ_TO) ?? 0)) return;
  index.transaction(() => {
    const noted = Number(index.note(READ_TO) ?? 0);
    const from = noted <= size ? noted : 0; // the file was cut or replaced: read it again
    const {text, end} = size === 0 ? {text: '', end: 0} : wholeLines(layout.remembered, from);
    for (const line of text.split('\n')) {
      const entry = rememberedEntry(line);
      if (entry) index.remember(entry.pipeline, entry.instance, entry.key, entry.name);
    }
    index.setNote(READ_TO, String(end));
  });
}

function wholeLines(path: string, from: number): {text: string; end: number} {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - from));
    const read = readSync(file, bytes, 0, bytes.length, from);
    const end = bytes.subarray(0, read).lastIndexOf(0x0a) + 1; // a line still being written waits for its end
    return {text: bytes.toString('utf8', 0, end), end: from + end};
  } finally {
    closeSync(file);
  }
}

function rememberedEntry(
  line: string,
): {pipeline: string; name: string | undefined; instance: string; key: Key} | undefined {
  try {
    const entry: Json = JSON.parse(line);
    if (!isJsonObject(entry)) return undefined;
    const {event, pipeline, name, instance, key} = entry;
    if (event !== 'remember' || typeof pipeline !== 'string' || typeof instance !== 'string') return undefined;
    if (typeof key !== 'string' || !isKey(key)) return undefined;
    return {pipeline, name: typeof name === 'string' ? name : undefined, instance, key};
  } catch {
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
