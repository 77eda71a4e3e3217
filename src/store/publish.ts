import {randomUUID} from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import {open} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {canonicalJson} from '../base/canonical-json.ts';
import {type Digest, type Key, keyOf} from '../base/digest.ts';
import {digestOfSmallFile} from '../base/digested-files.ts';
import type {JsonObject} from '../base/json.ts';
import type {DraftHome} from './draft-folders.ts';
import {readStampedRecord, recordStamp, type StampedRecord} from './read-record.ts';
import {type OutputRecord, type StoreRecord, sameOutputs} from './record.ts';
import {recordText} from './record-file.ts';
import {FILE_MODE, FOLDER_MODE} from './rights.ts';
import {systemCode} from './store-error.ts';
import {blobPath, recordPath} from './store-layout.ts';

export interface DraftOutput extends OutputRecord {
  /** Path of its file, in a folder that `draftFolder()` gave. */
  readonly draft: string;
}

/** A finished computation whose files still lie in `tmp/`. */
export interface Draft {
  readonly key: Key;
  readonly preimage: JsonObject;
  readonly outputs: Readonly<Record<string, DraftOutput>>;
  readonly seconds: number;
  /** Whether it takes the place of a whole result with other bytes. */
  readonly replace?: boolean;
}

/** What took longer than this is worth waiting for the disk. */
const WORTH_SYNCING_SECONDS = 1;

/**
 * Makes a draft the result of its key, by way of a folder for drafts on the same file system: blobs first, the record last, each by one
 * rename, so that a key that has a record has everything. When the key already has a whole result, that one stays, unless it is to be replaced, and drafts with other bytes are
 * dropped: what was built on the first must stay true. A dozen calls that each move no more than a name: done at once, since a trip to one of
 * Node's I/O threads takes many times as long. Only the wait for a disk is waited for.
 *
 * @param replacing called before and after a record takes the place of another: nobody may believe what was noted of that one, also if this process ends now.
 */
export async function publishDraft(
  root: string,
  draft: Draft,
  {folder, readers}: DraftHome,
  replacing: (key: Key) => void,
): Promise<StampedRecord> {
  if (keyOf(canonicalJson(draft.preimage)) !== draft.key)
    throw new Error(`Internal error: the result of ${draft.key} comes with the preimage of another key`);
  const outputs = Object.values(draft.outputs);
  const before = existsSync(recordPath(root, draft.key)) ? readStampedRecord(root, draft.key) : undefined;
  if (before && !draft.replace && !sameOutputs(before.record, draft) && isWhole(root, before.record)) {
    for (const output of outputs) rmSync(output.draft, {force: true});
    return before;
  }
  const sync = draft.seconds > WORTH_SYNCING_SECONDS;
  for (const output of outputs) {
    const {size, mode} = statSync(output.draft);
    if (size !== output.bytes)
      throw new Error(`Internal error: a draft of ${draft.key} has ${size} bytes, not ${output.bytes}`);
    setRights(output.draft, mode, (mode & 0o111) | readers);
    if (sync) await syncToDisk(output.draft);
    placeBlob(output, blobPath(root, output.digest), sync, readers);
    if (sync) await syncToDisk(dirname(blobPath(root, output.digest)));
  }
  if (before && sameOutputs(before.record, draft) && existsSync(recordPath(root, draft.key))) return before; // not forgotten while the disk was waited for
  const record = recordOf(draft);
  return writeRecord(root, record, folder, {sync, replace: before !== undefined, replacing});
}

/**
 * Nobody has reason to write to a blob, and a program that is handed one may do so by accident. Who may read it is not its maker's to say: `mktemp` makes
 * what a colleague who shares the cache could not use.
 */
function setRights(path: string, mode: number, wanted: number): void {
  if ((mode & 0o7777) === wanted) return;
  try {
    chmodSync(path, wanted);
  } catch (error) {
    if (systemCode(error) === undefined) throw error; // some file systems have no rights
  }
}

/**
 * Also where the blob is already there: the bytes are the same, or those there are damaged and these are not. A small one that is whole
 * stays: many systems write a file to disk at once when it takes the place of another (ext4's `auto_da_alloc`), which takes as long as all else.
 */
function placeBlob({digest, draft}: DraftOutput, blob: string, sync: boolean, readers: number): void {
  if (!sync && isSmallAndWhole(blob, digest, readers)) unlinkSync(draft);
  else inItsFolder(blob, () => renameSync(draft, blob));
}

function isSmallAndWhole(blob: string, digest: Digest, readers: number): boolean {
  try {
    return digestOfSmallFile(blob) === digest && (statSync(blob).mode & readers) === readers;
  } catch {
    return false; // one that cannot be read is to be replaced
  }
}

const recordOf = ({key, preimage, outputs, seconds}: Draft): StoreRecord => ({
  key,
  preimage,
  outputs: Object.fromEntries(
    Object.entries(outputs).map(([name, {draft: _, ...output}]): [string, OutputRecord] => [name, output]),
  ),
  seconds,
});

const isWhole = (root: string, record: StoreRecord): boolean =>
  Object.values(record.outputs).every(({digest, bytes}) => sizeOf(root, digest) === bytes);

function sizeOf(root: string, digest: Digest): number | undefined {
  try {
    return statSync(blobPath(root, digest)).size;
  } catch {
    return undefined;
  }
}

async function writeRecord(
  root: string,
  record: StoreRecord,
  drafts: string,
  {sync, replace, replacing}: {readonly sync: boolean; readonly replace: boolean; replacing(key: Key): void},
): Promise<StampedRecord> {
  const path = recordPath(root, record.key);
  const draft = join(drafts, `record-${randomUUID()}`);
  let first: ReturnType<typeof linkFirst>;
  let stamp: string;
  try {
    writeFileSync(draft, recordText(record), {mode: FILE_MODE});
    stamp = recordStamp(statSync(draft)); // in its place another driver's may lie already
    if (sync) await syncToDisk(draft);
    first = inItsFolder(path, () => (replace ? undefined : linkFirst(root, draft, path, record.key)));
    if (first === undefined) {
      replacing(record.key);
      inItsFolder(path, () => renameSync(draft, path));
      replacing(record.key); // another driver may have read the old one in between
    }
  } finally {
    removeFile(draft);
  }
  if (first === 'linked' || first === undefined) {
    if (sync) await syncToDisk(dirname(path));
    return {record, stamp};
  }
  return first;
}

/**
 * Unlike a rename, a link fails when somebody was first, in one step. Nothing when a rename must do: what is there is of no use,
 * or the file system has no hard links.
 */
function linkFirst(root: string, draft: string, path: string, key: Key): 'linked' | StampedRecord | undefined {
  try {
    linkSync(draft, path);
    return 'linked';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw error; // its folder is not there yet
    if (systemCode(error) !== 'EEXIST') return undefined;
    const first = readStampedRecord(root, key);
    return first && isWhole(root, first.record) ? first : undefined;
  }
}

/** Puts something at a path whose folder is most often there. */
function inItsFolder<T>(path: string, put: () => T): T {
  try {
    return put();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(path), {recursive: true, mode: FOLDER_MODE});
    return put();
  }
}

/** Where it is not there any more, a rename has moved it. */
function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

async function syncToDisk(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } catch (error) {
    if (systemCode(error) !== 'EINVAL' && systemCode(error) !== 'EPERM') throw error; // folders, where they cannot be synced
  } finally {
    await file.close();
  }
}
