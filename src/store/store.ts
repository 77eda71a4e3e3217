import type {Digest, Key} from '../base/digest.ts';
import type {RecordCost} from './choose-evictions.ts';
import type {PipelinePlace} from './pipeline-place.ts';
import type {Draft} from './publish.ts';
import type {StoreRecord} from './record.ts';
import type {RunLog} from './run-log.ts';

/**
 * Keys and what they gave. Every method that touches the disk throws `StoreError`, with message and hint, for what a user can
 * mend: no rights, a full or read-only disk.
 */
export interface Store {
  /** Absolute path of the cache folder; it may not be there yet. */
  readonly root: string;

  /** The records there are, of these keys; those that have none are not in the map. Whether blobs are there is another question. */
  records(keys: readonly Key[]): ReadonlyMap<Key, StoreRecord>;
  /** Records by the digest of their preimage without inputs (`staticPart`), newest first. */
  recordsWithStaticPart(digests: readonly Digest[]): ReadonlyMap<Digest, readonly StoreRecord[]>;
  /** Records of a stage, newest first, at most 200. */
  recordsOfStage(stage: string): readonly StoreRecord[];
  /** Whether somebody removed or moved the whole store while this process worked on it. */
  wasReplaced(): boolean;
  /** Makes finished drafts the result of a key, and answers with the record that holds: an earlier whole one stays. */
  publish(draft: Draft): Promise<StoreRecord>;
  /** Removes a key's record, and those of its blobs that are damaged, so that both are misses; noted with its reason. */
  forget(key: Key, why: string): Promise<void>;

  blobPath(digest: Digest): string;
  /** Whether the payload is there; with a size, whether it is there whole. Content is not read. */
  hasBlob(digest: Digest, bytes?: number): boolean;
  /** Bytes that are what their digest says, or why there are none. */
  readBlob(digest: Digest): Promise<Uint8Array<ArrayBuffer> | 'missing' | 'damaged'>;
  /** As `readBlob`, of a blob of any size: nothing of it stays in memory. */
  stateOfBlob(digest: Digest): Promise<'whole' | 'missing' | 'damaged'>;
  /** Removes a blob found damaged: every record that names it then lacks a payload. */
  discardBlob(digest: Digest): Promise<void>;

  /** An empty folder on the store's file system, gone when this process ends or dies. */
  draftFolder(): Promise<string>;
  /** Takes one back with whatever is left in it; once nothing can write to it any more (`isDone`), it may be given out again. */
  releaseDraftFolder(folder: string, isDone: boolean): Promise<void>;
  /** Where a long stage keeps its position between attempts at a key; made, and removed by `publish`. */
  scratchFolder(key: Key): Promise<string>;
  /** Runs `work` while nobody else on this store works under one of the keys; `busy` when somebody does. */
  tryLeases<T>(keys: readonly Key[], work: () => Promise<T>): Promise<T | 'busy'>;

  /** Notes which key each instance of a pipeline has now. Writes only what differs from last time. */
  remember(pipeline: PipelinePlace, entries: readonly {readonly instance: string; readonly key: Key}[]): void;
  lastKeys(pipeline: PipelinePlace, instances: readonly string[]): ReadonlyMap<string, Key>;
  /** Every key an instance has had, newest first. */
  keyHistory(pipeline: PipelinePlace, instance: string): readonly Key[];

  /** The last key of every instance of every pipeline that ran on this store. */
  currentKeys(): ReadonlySet<Key>;
  /** What each record took to compute, of all there are. */
  costs(): readonly RecordCost[];
  /** Removes a record file that cannot be read: its key is a miss already. */
  discardRecord(key: Key): Promise<void>;
  /** Makes the index anew from the record files. */
  rebuildIndex(): void;

  /** Digest of an outside file; one that has not changed is not read again. */
  digestOfFile(path: string): Promise<Digest>;
  /** That results can be written wherever they may come to; asked before anything is computed. */
  requireRights(): void;
  openRunLog(name: string): RunLog;
  close(): Promise<void>;
}
