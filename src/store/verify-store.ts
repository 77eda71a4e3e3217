import {readFile, stat} from 'node:fs/promises';
import {inlineForm} from '../artifact/inline-rows.ts';
import {isTableKind} from '../artifact/kinds.ts';
import {canonicalJson} from '../base/canonical-json.ts';
import type {Digest, Key} from '../base/digest.ts';
import {digestOfFile} from '../base/digested-files.ts';
import {stampOfFile} from './read-record.ts';
import type {OutputRecord, StoreRecord} from './record.ts';
import {parseRecordOf, recordText} from './record-file.ts';
import type {Store} from './store.ts';
import {isSystemError, StoreError, storeError, systemCode, whyNotRead} from './store-error.ts';
import {storeLayout} from './store-layout.ts';
import {type Odd, storedPayloads, storedRecords} from './stored-files.ts';

interface NotRead {
  readonly path: string;
  readonly why: string;
}

export interface Verification {
  readonly records: number;
  readonly payloads: number;
  readonly bytes: number;
  /** Files whose bytes are not what their name says. */
  readonly damagedPayloads: readonly Digest[];
  /** Record files that are cut or damaged, or not of the key in their name. */
  readonly damagedRecords: readonly Key[];
  /** Records with a small table that is not the one in its payload. */
  readonly falseTables: readonly Key[];
  /** Payloads that a record names and that are not there: removed to save space. No fault. */
  readonly gone: number;
  /** Records that the index tells otherwise than their files. */
  readonly differsInIndex: readonly Key[];
  /** Files and folders of which nothing is known, since they cannot be read or are links. */
  readonly notRead: readonly NotRead[];
  /** Files and folders that everybody may write to. */
  readonly worldWritable: readonly string[];
}

/** Reads everything that is in a store and compares it with what it is called. Changes nothing. */
export async function verifyStore(store: Store, progress: (bytes: number) => void = () => {}): Promise<Verification> {
  try {
    const worldWritable: string[] = [];
    const note = async (path: string): Promise<void> => {
      const status = await stat(path).catch(() => undefined);
      if (status && (status.mode & 0o002) !== 0) worldWritable.push(path);
    };
    const {named, ...ofRecords} = await verifyRecords(store, note);
    const ofPayloads = await verifyPayloads(store, note, progress);
    const gone = [...named].filter((digest) => isGone(store, digest)).length;
    const {root, keys, blobs, runs, scratch, tmp} = storeLayout(store.root);
    for (const path of [root, keys, blobs, runs, scratch, tmp]) await note(path);
    const notRead = [...ofRecords.notRead, ...ofPayloads.notRead];
    return {...ofRecords, ...ofPayloads, notRead, gone, worldWritable};
  } catch (error) {
    throw storeError(error, 'verify', store.root);
  }
}

async function verifyRecords(store: Store, note: (path: string) => Promise<void>) {
  const [damagedRecords, falseTables, differsInIndex]: [Key[], Key[], Key[]] = [[], [], []];
  const notRead: NotRead[] = [];
  const named = new Set<Digest>();
  let records = 0;
  const odd = passedOver(notRead, damagedRecords);
  let hasIndex = true;
  /** There is none as long as a folder of records cannot be read, which is told of that. */
  const inIndex = (key: Key): StoreRecord | undefined => {
    try {
      return hasIndex ? store.records([key]).get(key) : undefined;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      hasIndex = false;
      return undefined;
    }
  };
  for await (const {name: key, path} of storedRecords(storeLayout(store.root), odd)) {
    await note(path);
    const stamp = stampOfFile(path);
    const text = await readable(notRead, path, () => readFile(path, 'utf8'));
    if (text === undefined) continue;
    records++;
    const record = parseRecordOf(key, text);
    if (record === undefined) {
      damagedRecords.push(key);
      continue;
    }
    for (const {digest} of Object.values(record.outputs)) named.add(digest);
    if (await hasFalseTable(store, record)) falseTables.push(key);
    const indexed = inIndex(key);
    const isSame = indexed !== undefined && recordText(indexed) === recordText(record);
    if (hasIndex && !isSame && stampOfFile(path) === stamp) differsInIndex.push(key); // else somebody replaced or removed it meanwhile
  }
  return {records, damagedRecords, falseTables, differsInIndex, notRead, named};
}

async function verifyPayloads(store: Store, note: (path: string) => Promise<void>, progress: (bytes: number) => void) {
  const damagedPayloads: Digest[] = [];
  const notRead: NotRead[] = [];
  let [payloads, bytes] = [0, 0];
  const odd = passedOver(notRead, damagedPayloads);
  for await (const payload of storedPayloads(storeLayout(store.root), odd)) {
    await note(payload.path);
    const digest = await readable(notRead, payload.path, () => digestOfFile(payload.path));
    if (digest === undefined) continue;
    payloads++;
    if (digest !== payload.name) damagedPayloads.push(payload.name);
    bytes += payload.bytes;
    progress(bytes);
  }
  return {payloads, bytes, damagedPayloads, notRead};
}

const A_LINK = 'it is a link, and basin makes none: put what it points to in its place, or remove it';

/** A folder where a file should be is used as little as a file that is damaged. */
const passedOver =
  <Name>(notRead: NotRead[], damaged: Name[]) =>
  (odd: Odd<Name>): void => {
    const {path} = odd;
    if (odd.why === 'unreadable') notRead.push({path, why: whyNotRead(odd.error)});
    else if (odd.why === 'a link') notRead.push({path, why: A_LINK});
    else if (odd.name !== undefined) damaged.push(odd.name);
  };

/** Nothing for what is removed meanwhile, and for what cannot be read, which is noted. */
async function readable<T>(notRead: NotRead[], path: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (systemCode(error) !== 'ENOENT') notRead.push({path, why: whyNotRead(error)});
    return undefined;
  }
}

/** Also what lies behind a link, or where it cannot be seen, is not removed. */
function isGone(store: Store, digest: Digest): boolean {
  try {
    return !store.hasBlob(digest);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return false;
  }
}

async function hasFalseTable(store: Store, {outputs}: StoreRecord): Promise<boolean> {
  for (const output of Object.values(outputs)) if (await isFalseTable(store, output)) return true;
  return false;
}

/** Records written without a check have nothing else that tells; a payload that is gone, damaged or cannot be read tells nothing. */
async function isFalseTable(store: Store, {kind, digest, inline}: OutputRecord): Promise<boolean> {
  if (inline === undefined || !isTableKind(kind)) return false;
  const bytes = await store.readBlob(digest).catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error;
  });
  if (!(bytes instanceof Uint8Array)) return false;
  // The Arrow library is the largest thing that other commands on the cache would load.
  const {decodeArtifact} = await import('../artifact/decode.ts');
  return canonicalJson(inlineForm(decodeArtifact(kind, bytes))) !== canonicalJson(inline);
}
