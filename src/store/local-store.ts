import {existsSync, rmSync, statSync} from 'node:fs';
import {mkdir, rename, rm} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import type {Digest, Key} from '../base/digest.ts';
import {digestOfFile} from '../base/digested-files.ts';
import {UserError} from '../base/user-error.ts';
import type {RecordCost} from './choose-evictions.ts';
import {diskNow} from './disk-clock.ts';
import {DraftFolders} from './draft-folders.ts';
import {fileStamp, isSettled, statusOf} from './file-stamp.ts';
import {IndexHolder} from './index-holder.ts';
import {tryLeases} from './lease.ts';
import type {PipelinePlace} from './pipeline-place.ts';
import {type Draft, publishDraft} from './publish.ts';
import {readBlob, stateOfBlob} from './read-blob.ts';
import {readRecordFile, readStampedRecord} from './read-record.ts';
import type {StoreRecord} from './record.ts';
import {syncRemembered} from './remembered-file.ts';
import {requireRights} from './require-rights.ts';
import {FOLDER_MODE} from './rights.ts';
import {appendLines, openRunLog, type RunLog} from './run-log.ts';
import type {Store} from './store.ts';
import {asStoreError, StoreError, storeError} from './store-error.ts';
import {makeStore} from './store-format.ts';
import {blobPath, recordPath, type StoreLayout, scratchPath} from './store-layout.ts';

const MOST_OF_A_STAGE = 200;

/** A store in a folder of this machine or of a shared file system. */
export class LocalStore implements Store {
  readonly root: string;
  readonly #layout: StoreLayout;
  readonly #readOnly: boolean;
  readonly #index: IndexHolder;
  readonly #drafts: DraftFolders;
  #made = false;
  #madeAs: string | undefined;

  constructor(layout: StoreLayout, readOnly: boolean) {
    this.root = layout.root;
    this.#layout = layout;
    this.#readOnly = readOnly;
    this.#index = new IndexHolder(layout, readOnly);
    this.#drafts = new DraftFolders(layout.tmp);
  }

  records(keys: readonly Key[]): ReadonlyMap<Key, StoreRecord> {
    return this.#reading(() => {
      const found = this.#made ? this.#index.currentRecords(keys) : this.#index.records(keys);
      if (found.size === keys.length || !(this.#made || existsSync(this.#layout.keys))) return found;
      // Another driver may have written them since the index was brought up to date, which need not be the index of that one.
      for (const key of keys) {
        if (found.has(key) || !existsSync(recordPath(this.root, key))) continue;
        const late = readStampedRecord(this.root, key);
        if (!late) continue;
        found.set(key, late.record);
        if (!this.#readOnly) this.#index.put(late);
      }
      return found;
    });
  }

  recordsWithStaticPart(digests: readonly Digest[]): ReadonlyMap<Digest, readonly StoreRecord[]> {
    return this.#reading(() => this.#index.use((index) => index.withStaticPart(digests)));
  }

  recordsOfStage(stage: string): readonly StoreRecord[] {
    return this.#reading(() => this.#index.use((index) => index.ofStage(stage, MOST_OF_A_STAGE)));
  }

  async publish(draft: Draft): Promise<StoreRecord> {
    return this.#writing('write a result to', async () => {
      const published = await publishDraft(this.root, draft, await this.#drafts.home(), (key) =>
        this.#index.use((index) => index.drop(key)),
      );
      this.#index.put(published);
      const scratch = scratchPath(this.root, draft.key);
      if (existsSync(scratch)) await rm(scratch, {recursive: true, force: true});
      return published.record;
    });
  }

  async forget(key: Key, why: string): Promise<void> {
    await this.#writing('remove a result from', async () => {
      const record = readRecordFile(this.root, key);
      rmSync(recordPath(this.root, key), {force: true}); // at once: what is published while one waits is not this one
      this.#index.use((index) => index.drop(key));
      for (const {digest} of Object.values(record?.outputs ?? {}))
        if ((await stateOfBlob(this.root, digest)) === 'damaged') await this.#discard(digest);
      appendLines(this.#layout.forgotten, [{event: 'forget', key, why}]);
    });
  }

  blobPath(digest: Digest): string {
    return blobPath(this.root, digest);
  }

  hasBlob(digest: Digest, bytes?: number): boolean {
    return this.#reading(() => {
      const status = statSync(blobPath(this.root, digest), {throwIfNoEntry: false});
      return status?.isFile() === true && (bytes === undefined || status.size === bytes);
    });
  }

  readBlob(digest: Digest): Promise<Uint8Array<ArrayBuffer> | 'missing' | 'damaged'> {
    return readBlob(this.root, digest);
  }

  stateOfBlob(digest: Digest): Promise<'whole' | 'missing' | 'damaged'> {
    return stateOfBlob(this.root, digest);
  }

  async discardBlob(digest: Digest): Promise<void> {
    await this.#writing('remove a damaged file from', async () => {
      if ((await stateOfBlob(this.root, digest)) === 'damaged') await this.#discard(digest);
    });
  }

  /** Checked once more after it was moved away: a good one may have been published over it meanwhile. */
  async #discard(digest: Digest): Promise<void> {
    const aside = join(await this.#drafts.fresh(), digest);
    await rename(blobPath(this.root, digest), aside).catch(() => undefined);
    if ((await stateOfBlob(this.root, digest, aside)) === 'whole') await rename(aside, blobPath(this.root, digest));
    await rm(aside, {recursive: true, force: true});
  }

  draftFolder(): Promise<string> {
    return this.#writing('write to', () => this.#drafts.fresh());
  }

  releaseDraftFolder(folder: string, isDone: boolean): Promise<void> {
    return this.#drafts.release(folder, isDone);
  }

  scratchFolder(key: Key): Promise<string> {
    return this.#writing('write to', async () => {
      const folder = scratchPath(this.root, key);
      await mkdir(folder, {recursive: true, mode: FOLDER_MODE});
      return folder;
    });
  }

  tryLeases<T>(keys: readonly Key[], work: () => Promise<T>): Promise<T | 'busy'> {
    this.#make('take a lease in');
    return tryLeases(this.root, keys, work);
  }

  remember(pipeline: PipelinePlace, entries: readonly {readonly instance: string; readonly key: Key}[]): void {
    const {place, name} = pipeline;
    const instances = entries.map(({instance}) => instance);
    const last = this.#reading(() => this.#index.use((index) => index.lastKeys(place, instances)));
    const news = entries.filter(({instance, key}) => last.get(instance) !== key);
    if (news.length === 0) return;
    this.#make('write to');
    try {
      const lines = news.map(({instance, key}) => ({event: 'remember', pipeline: place, name, instance, key}));
      appendLines(this.#layout.remembered, lines);
      this.#index.use((index) => syncRemembered(index, this.#layout));
    } catch (error) {
      throw storeError(error, 'write to', this.root);
    }
  }

  lastKeys({place, name}: PipelinePlace, instances: readonly string[]): ReadonlyMap<string, Key> {
    return this.#reading(() =>
      this.#index.use((index) => {
        const found = index.lastKeys(place, instances);
        const rest = instances.filter((instance) => !found.has(instance));
        return rest.length === 0 ? found : new Map([...index.lastKeys(name, rest), ...found]);
      }),
    );
  }

  keyHistory({place, name}: PipelinePlace, instance: string): readonly Key[] {
    return this.#reading(() =>
      this.#index.use((index) => [
        ...index.keyHistory(place, instance),
        ...(name === place ? [] : index.keyHistory(name, instance)),
      ]),
    );
  }

  currentKeys(): ReadonlySet<Key> {
    return this.#reading(() => this.#index.use((index) => index.currentKeys()));
  }

  costs(): readonly RecordCost[] {
    return this.#reading(() => this.#index.use((index) => index.costs()));
  }

  async discardRecord(key: Key): Promise<void> {
    await this.#writing('remove a damaged record from', async () => {
      if (readRecordFile(this.root, key) === undefined)
        await rm(recordPath(this.root, key), {force: true, recursive: true});
    });
  }

  rebuildIndex(): void {
    this.#reading(() => this.#index.rebuild());
  }

  async digestOfFile(path: string): Promise<Digest> {
    const absolute = resolve(path);
    const before = statusOf(absolute);
    // A pipe would be waited on for ever, and a device may have no end.
    if (!before.isFile())
      throw new UserError(`${path} is ${before.isDirectory() ? 'a folder' : 'a pipe or a device'}.`, 'Name a file.');
    const stamp = fileStamp(before);
    const known = this.#reading(() => this.#index.use((index) => index.fileDigest(absolute, stamp)));
    if (known !== undefined) return known;
    // It may lie under another clock than the store: it has to be old by both.
    const now = this.#readOnly ? Date.now() : Math.min(Date.now(), diskNow(this.#layout));
    const digest = await digestOfFile(absolute);
    if (isSettled(before, now) && fileStamp(statusOf(absolute)) === stamp)
      this.#index.use((index) => index.setFileDigest(absolute, stamp, digest));
    return digest;
  }

  requireRights(): void {
    this.#make('write a result to');
    this.#reading(() => requireRights(this.#layout));
  }

  openRunLog(name: string): RunLog {
    this.#make('write the log of a run to');
    return openRunLog(this.#layout.runs, name, this.root);
  }

  async close(): Promise<void> {
    await this.#drafts.close();
    this.#index.close();
  }

  #reading<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(error, 'read', this.root);
    }
  }

  #writing<T>(doing: string, work: () => Promise<T>): Promise<T> {
    return asStoreError(doing, this.root, () => {
      this.#make(doing);
      return work();
    });
  }

  /** Makes the folder a store if it is none, also where it was one until somebody removed or moved it. */
  #make(doing: string): void {
    if (this.#readOnly)
      throw new StoreError(
        'store-read-only',
        `Cannot ${doing} the cache at ${this.root}: it was opened for reading only.`,
      );
    if (this.#made && existsSync(this.#layout.format)) return;
    try {
      makeStore(this.#layout, this.#made);
      this.#madeAs ??= this.#identity();
    } catch (error) {
      throw storeError(error, doing, this.root);
    }
    if (this.#made) this.#index.storeMadeAgain();
    else this.#index.folderMade();
    this.#made = true;
  }

  /** Of the folder of records; one that is made anew may be given the inode of the old one. */
  #identity(): string | undefined {
    const status = statSync(this.#layout.keys, {bigint: true, throwIfNoEntry: false});
    return status && `${status.dev} ${status.ino} ${status.birthtimeNs}`;
  }

  wasReplaced(): boolean {
    return this.#reading(() => this.#made && this.#identity() !== this.#madeAs);
  }
}
