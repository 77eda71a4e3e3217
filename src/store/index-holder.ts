import {existsSync} from 'node:fs';
import type {Key} from '../base/digest.ts';
import {claimIndexFile, identityOf, indexFileAt, removeIndexFile} from './index-file.ts';
import {DamagedIndex, isIndexError} from './indexed-record.ts';
import {type StampedRecord, stampOfRecord} from './read-record.ts';
import type {StoreRecord} from './record.ts';
import {RecordIndex} from './record-index.ts';
import type {StoreLayout} from './store-layout.ts';
import {putAsTheyLie, syncIndex} from './sync-index.ts';

/** Also SQLITE_CORRUPT and SQLITE_NOTADB: the file itself is no use. */
const isDamage = (error: unknown): boolean =>
  error instanceof DamagedIndex ||
  (error instanceof Error && 'errcode' in error && (error.errcode === 11 || error.errcode === 26));

/** A transaction costs as much as a hundred rows. */
const MOST_LATE = 100;

/**
 * Keeps an index at hand whatever becomes of its file: the one on disk, a new one where that is damaged, one in memory where none
 * can be kept (nothing written yet, no rights, a full disk, a file in its place that is not ours). It is never the truth, so none of this is an error.
 */
export class IndexHolder {
  readonly #layout: StoreLayout;
  readonly #readOnly: boolean;
  #index: RecordIndex | undefined;
  #inMemory = false;
  /** Which file this opened for its own. */
  #identity: string | undefined;
  /** Published records that wait to go into the index together; the files have them, so a process that dies loses nothing. */
  readonly #late = new Map<Key, StampedRecord>();

  constructor(layout: StoreLayout, readOnly: boolean) {
    this.#layout = layout;
    this.#readOnly = readOnly;
  }

  /** Runs `work` on an index that agrees with the files; when that fails it, once more on another index. */
  use<T>(work: (index: RecordIndex) => T): T {
    this.#takeIn();
    return this.#onAnIndex(work);
  }

  /** Takes in a record whose file was just written. */
  put(record: StampedRecord): void {
    this.#late.set(record.record.key, record);
    if (this.#late.size >= MOST_LATE) this.#takeIn();
  }

  /** As `use` with `index.records`, without a transaction for what was just written. */
  records(keys: readonly Key[]): Map<Key, StoreRecord> {
    const found = this.#onAnIndex((index) => index.records(keys));
    for (const key of keys) {
      const late = this.#late.get(key);
      if (late) found.set(key, late.record);
    }
    return found;
  }

  /** As `records`, of those alone that are what their files say now. */
  currentRecords(keys: readonly Key[]): Map<Key, StoreRecord> {
    const late = keys.flatMap((key) => this.#late.get(key) ?? []);
    const stamped = [...this.#onAnIndex((index) => index.stampedRecords(keys)), ...late];
    return new Map(
      stamped
        .filter(({record, stamp}) => stampOfRecord(this.#layout.root, record.key) === stamp)
        .map(({record}) => [record.key, record]),
    );
  }

  #takeIn(): void {
    if (this.#late.size === 0) return;
    this.#onAnIndex((index) => index.transaction(() => putAsTheyLie(index, this.#layout, this.#late.values())));
    this.#late.clear();
  }

  #onAnIndex<T>(work: (index: RecordIndex) => T): T {
    try {
      return work(this.#current());
    } catch (error) {
      if (!isIndexError(error)) throw error;
      this.#drop();
      this.#index = this.#open(!(isDamage(error) && this.#removeFile()));
      return work(this.#index);
    }
  }

  /** To be called once the store's folder is there: an index that was kept in memory for want of it moves to disk. */
  folderMade(): void {
    if (!this.#inMemory || this.#readOnly) return;
    const before = this.#index;
    this.#index = this.#open(false);
    if (before) {
      try {
        this.#index.copyFilesFrom(before);
      } catch (error) {
        if (!isIndexError(error)) throw error;
      }
      before.close();
    }
  }

  /** To be called once the store was made again: the file that is open lies elsewhere, or nowhere. */
  storeMadeAgain(): void {
    this.#drop();
  }

  rebuild(): void {
    this.#drop();
    if (!this.#readOnly) this.#removeFile();
    this.#index = this.#current();
  }

  close(): void {
    this.#takeIn();
    this.#drop();
  }

  #current(): RecordIndex {
    this.#index ??= this.#open(this.#readOnly || !existsSync(this.#layout.format));
    return this.#index;
  }

  #open(inMemory: boolean): RecordIndex {
    const index = inMemory ? undefined : this.#openFile();
    this.#inMemory = index === undefined;
    const open = index ?? new RecordIndex(':memory:');
    syncIndex(open, this.#layout);
    return open;
  }

  #openFile(): RecordIndex | undefined {
    for (const attempt of [1, 2]) {
      this.#identity = claimIndexFile(this.#layout.index);
      if (this.#identity === undefined) return undefined;
      try {
        const index = new RecordIndex(this.#layout.index);
        syncIndex(index, this.#layout);
        return index;
      } catch (error) {
        if (!isIndexError(error)) throw error;
        if (attempt === 2 || !isDamage(error) || !this.#removeFile()) return undefined;
      }
    }
    return undefined;
  }

  /** False when it stays: what took the place of the one that was opened may be anybody's. */
  #removeFile(): boolean {
    const {index} = this.#layout;
    const opened = this.#identity !== undefined && identityOf(index) === this.#identity;
    return (opened || indexFileAt(index) !== 'foreign') && removeIndexFile(index);
  }

  #drop(): void {
    try {
      this.#index?.close();
    } catch (error) {
      if (!isIndexError(error)) throw error;
    }
    this.#index = undefined;
  }
}
