import {randomUUID} from 'node:crypto';
import {link, mkdir, open, rename, rm, stat, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {Digest, Key} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';
import type {OutputRecord, StoreRecord} from './record.ts';
import {recordText} from './record-file.ts';
import {systemCode} from './store-error.ts';
import {blobPath, recordPath, type StoreLayout} from './store-layout.ts';
import {readRecordFile} from './sync-index.ts';

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
 * Makes a draft the result of its key: blobs first, the record last, each by one rename, so that a key that has a record has
 * everything. When the key already has a whole result, that one stays, unless it is to be replaced, and drafts with other bytes are
 * dropped: what was built on the first must stay true.
 */
export async function publishDraft(layout: StoreLayout, draft: Draft): Promise<StoreRecord> {
  const {root} = layout;
  const outputs = Object.values(draft.outputs);
  const before = readRecordFile(root, draft.key);
  if (before && !draft.replace && !sameDigests(before, draft) && (await isWhole(root, before))) {
    for (const output of outputs) await rm(output.draft, {force: true});
    return before;
  }
  const sync = draft.seconds > WORTH_SYNCING_SECONDS;
  for (const output of outputs) {
    const {size} = await stat(output.draft);
    if (size !== output.bytes)
      throw new Error(`Internal error: a draft of ${draft.key} has ${size} bytes, not ${output.bytes}`);
    if (sync) await syncToDisk(output.draft);
    // Also where the blob is already there: the bytes are the same, or those there are damaged and these are not.
    await moveInto(output.draft, blobPath(root, output.digest));
    if (sync) await syncToDisk(dirname(blobPath(root, output.digest)));
  }
  if (before && sameDigests(before, draft)) return before;
  const record = recordOf(draft);
  return writeRecord(layout, record, {sync, replace: before !== undefined});
}

const recordOf = ({key, preimage, outputs, seconds}: Draft): StoreRecord => ({
  key,
  preimage,
  outputs: Object.fromEntries(
    Object.entries(outputs).map(([name, {draft: _, ...output}]): [string, OutputRecord] => [name, output]),
  ),
  seconds,
});

function sameDigests(record: StoreRecord, draft: Draft): boolean {
  const names = Object.keys(record.outputs);
  return (
    names.length === Object.keys(draft.outputs).length &&
    names.every((name) => record.outputs[name]?.digest === draft.outputs[name]?.digest)
  );
}

async function isWhole(root: string, record: StoreRecord): Promise<boolean> {
  const sizes = Object.values(record.outputs).map(async ({digest, bytes}) => (await sizeOf(root, digest)) === bytes);
  return (await Promise.all(sizes)).every(Boolean);
}

const sizeOf = (root: string, digest: Digest): Promise<number | undefined> =>
  stat(blobPath(root, digest)).then(
    ({size}) => size,
    () => undefined,
  );

async function writeRecord(
  layout: StoreLayout,
  record: StoreRecord,
  {sync, replace}: {readonly sync: boolean; readonly replace: boolean},
): Promise<StoreRecord> {
  const path = recordPath(layout.root, record.key);
  const draft = join(layout.tmp, `record-${randomUUID()}`);
  let first: Awaited<ReturnType<typeof linkFirst>>;
  try {
    await writeFile(draft, recordText(record));
    if (sync) await syncToDisk(draft);
    await mkdir(dirname(path), {recursive: true});
    first = replace ? undefined : await linkFirst(layout, draft, path, record.key);
    if (first === undefined) await rename(draft, path);
  } finally {
    await rm(draft, {force: true});
  }
  if (first === 'linked' || first === undefined) {
    if (sync) await syncToDisk(dirname(path));
    return record;
  }
  return first;
}

/**
 * Unlike a rename, a link fails when somebody was first, in one step. Nothing when a rename must do: what is there is of no use,
 * or the file system has no hard links.
 */
async function linkFirst(
  layout: StoreLayout,
  draft: string,
  path: string,
  key: Key,
): Promise<'linked' | StoreRecord | undefined> {
  try {
    await link(draft, path);
    return 'linked';
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') return undefined;
    const first = readRecordFile(layout.root, key);
    return first && (await isWhole(layout.root, first)) ? first : undefined;
  }
}

async function moveInto(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    await mkdir(dirname(to), {recursive: true});
    await rename(from, to);
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
