import {readFileSync, type Stats, statSync} from 'node:fs';
import type {Key} from '../base/digest.ts';
import type {StoreRecord} from './record.ts';
import {parseRecordOf} from './record-file.ts';
import {systemCode} from './store-error.ts';
import {recordPath} from './store-layout.ts';

export interface StampedRecord {
  readonly record: StoreRecord;
  /** Of the file it was read from or written to: as long as that has it, the record is what the file says. */
  readonly stamp: string;
}

/** Without `ctime`: the link and the rename by which a record comes to its place move it. */
export const recordStamp = ({size, mtimeMs, ino}: Stats): string => `${size} ${mtimeMs} ${ino}`;

/** Of the file as it lies there now; nothing where there is none. */
export function stampOfFile(path: string): string | undefined {
  const status = statSync(path, {throwIfNoEntry: false});
  return status && recordStamp(status);
}

export const stampOfRecord = (root: string, key: Key): string | undefined => stampOfFile(recordPath(root, key));

/** What tells of a record by itself: it is gone, a folder lies in its place, or a link that leads to itself. */
const NO_RECORD: readonly (string | undefined)[] = ['ENOENT', 'EISDIR', 'ELOOP'];

/**
 * The record of a key from its file; cut, foreign or missing is nothing, and so is one that cannot be read.
 *
 * @param unread told why one that is there cannot be read: nobody knows what it names.
 * @throws what the system answered where nobody can tell whether there is one.
 */
export function readStampedRecord(
  root: string,
  key: Key,
  unread?: (error: unknown) => void,
): StampedRecord | undefined {
  const path = recordPath(root, key);
  let stamp: string | undefined;
  try {
    stamp = stampOfFile(path); // before it is read: what takes its place meanwhile has another
    const record = stamp === undefined ? undefined : parseRecordOf(key, readFileSync(path, 'utf8'));
    return record && stamp !== undefined ? {record, stamp} : undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined || (stamp === undefined && !NO_RECORD.includes(code))) throw error;
    if (!NO_RECORD.includes(code)) unread?.(error);
    return undefined;
  }
}

export const readRecordFile = (root: string, key: Key): StoreRecord | undefined => readStampedRecord(root, key)?.record;
