import {stat} from 'node:fs/promises';
import {isTableKind} from '../artifact/kinds.ts';
import {canonicalJson} from '../base/canonical-json.ts';
import type {Digest, Key} from '../base/digest.ts';
import {digestOfFile} from '../base/digested-files.ts';
import {readRecordFile} from './read-record.ts';
import type {OutputRecord, StoreRecord} from './record.ts';
import {recordText} from './record-file.ts';
import type {Store} from './store.ts';
import {storeError} from './store-error.ts';
import {storeLayout} from './store-layout.ts';
import {storedPayloads, storedRecords} from './stored-files.ts';

export interface Verification {
  readonly records: number;
  readonly payloads: number;
  readonly bytes: number;
  /** Files whose bytes are not what their name says. */
  readonly damagedPayloads: readonly Digest[];
  /** Record files that cannot be read, or are not of the key in their name. */
  readonly damagedRecords: readonly Key[];
  /** Records with a small table that is not the one in its payload. */
  readonly falseTables: readonly Key[];
  /** Payloads that a record names and that are not there: removed to save space. No fault. */
  readonly gone: number;
  /** Records that the index tells otherwise than their files. */
  readonly differsInIndex: readonly Key[];
  /** Files and folders that everybody may write to. */
  readonly worldWritable: readonly string[];
}

/** Reads everything that is in a store and compares it with what it is called. Changes nothing. */
export async function verifyStore(store: Store, progress: (bytes: number) => void = () => {}): Promise<Verification> {
  const layout = storeLayout(store.root);
  try {
    const damagedRecords: Key[] = [];
    const falseTables: Key[] = [];
    const differsInIndex: Key[] = [];
    const worldWritable: string[] = [];
    const note = async (path: string): Promise<void> => {
      const status = await stat(path).catch(() => undefined);
      if (status && (status.mode & 0o002) !== 0) worldWritable.push(path);
    };
    const named = new Set<Digest>();
    let records = 0;
    for await (const {name: key, path} of storedRecords(layout)) {
      records++;
      await note(path);
      const record = readRecordFile(store.root, key);
      if (record === undefined) {
        damagedRecords.push(key);
        continue;
      }
      for (const {digest} of Object.values(record.outputs)) named.add(digest);
      if (await hasFalseTable(store, record)) falseTables.push(key);
      const indexed = store.records([key]).get(key);
      if (!indexed || recordText(indexed) !== recordText(record)) differsInIndex.push(key);
    }
    const damagedPayloads: Digest[] = [];
    let payloads = 0;
    let bytes = 0;
    for await (const payload of storedPayloads(layout)) {
      payloads++;
      await note(payload.path);
      if ((await digestOfFile(payload.path)) !== payload.name) damagedPayloads.push(payload.name);
      named.delete(payload.name);
      bytes += payload.bytes;
      progress(bytes);
    }
    for (const path of [layout.root, layout.keys, layout.blobs, layout.runs, layout.scratch, layout.tmp])
      await note(path);
    const damaged = {damagedPayloads, damagedRecords, falseTables, differsInIndex};
    return {records, payloads, bytes, ...damaged, gone: named.size, worldWritable};
  } catch (error) {
    throw storeError(error, 'verify', store.root);
  }
}

async function hasFalseTable(store: Store, {outputs}: StoreRecord): Promise<boolean> {
  for (const output of Object.values(outputs)) if (await isFalseTable(store, output)) return true;
  return false;
}

/** Records written without a check have nothing else that tells; a payload that is gone or damaged tells nothing. */
async function isFalseTable(store: Store, {kind, digest, inline}: OutputRecord): Promise<boolean> {
  if (inline === undefined || !isTableKind(kind)) return false;
  const bytes = await store.readBlob(digest);
  if (!(bytes instanceof Uint8Array)) return false;
  // The Arrow library is the largest thing that other commands on the cache would load.
  const {decodeArtifact} = await import('../artifact/decode.ts');
  return canonicalJson(decodeArtifact(kind, bytes)) !== canonicalJson(inline);
}
