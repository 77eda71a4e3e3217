import {randomUUID} from 'node:crypto';
import {lstat, mkdir, open, readdir, readFile, rename, rm, unlink} from 'node:fs/promises';
import {join} from 'node:path';
import {digestOf} from '../base/digest.ts';
import type {Json} from '../base/json.ts';
import type {Checkpoint} from '../stage/checkpoint.ts';
import {storeError} from './store-error.ts';

const SUFFIX = '.checkpoint';
/** Of the layout below; a file of another one is not read. */
const FORMAT = 1;

interface Header {
  readonly format: number;
  readonly position: Json;
  readonly arrays: readonly {readonly name: string; readonly length: number}[];
}

/**
 * `[u32 header bytes][header JSON][zeros to 4 bytes][float32 little endian …]`. The file is named by its digest, so that one
 * that was cut or damaged is told from one that is whole.
 */
function encode({position, arrays}: Checkpoint): Buffer {
  const entries = Object.entries(arrays);
  const header: Header = {
    format: FORMAT,
    position,
    arrays: entries.map(([name, {length}]) => ({name, length})),
  };
  const text = Buffer.from(JSON.stringify(header));
  const start = 4 + Math.ceil(text.length / 4) * 4;
  const bytes = Buffer.alloc(start + entries.reduce((sum, [, {byteLength}]) => sum + byteLength, 0));
  bytes.writeUInt32LE(text.length);
  text.copy(bytes, 4);
  let at = start;
  for (const [, array] of entries) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
  }
  return bytes;
}

/** Only ever given bytes whose digest was right, so what does not fit is another format. */
function decode(bytes: Buffer): Checkpoint | undefined {
  const length = bytes.readUInt32LE();
  const header: Header = JSON.parse(bytes.toString('utf8', 4, 4 + length));
  if (header.format !== FORMAT) return undefined;
  let at = 4 + Math.ceil(length / 4) * 4;
  const arrays: Record<string, Float32Array> = {};
  for (const {name, length: count} of header.arrays) {
    // A copy, because a pooled buffer is not aligned to four bytes.
    arrays[name] = new Float32Array(new Uint8Array(bytes.subarray(at, at + 4 * count)).buffer);
    at += 4 * count;
  }
  return {position: header.position, arrays};
}

/** The newest whole checkpoint of a folder; files that are not what their name says are passed over. */
export async function loadCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => one.endsWith(SUFFIX))) {
    const bytes = await readFile(join(folder, name)).catch(() => undefined);
    if (bytes && digestOf(bytes) === name.slice(0, -SUFFIX.length)) return decode(bytes);
  }
  return undefined;
}

/** Writes a checkpoint whole or not at all, and only then removes the one before. */
export async function saveCheckpoint(folder: string, root: string, checkpoint: Checkpoint): Promise<void> {
  const bytes = encode(checkpoint);
  const name = `${digestOf(bytes)}${SUFFIX}`;
  const draft = join(folder, randomUUID());
  try {
    // What a link leads to is not the store's.
    if ((await lstat(folder).catch(() => undefined))?.isSymbolicLink()) await unlink(folder);
    await mkdir(folder, {recursive: true});
    const file = await open(draft, 'wx');
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
    const before = await readdir(folder);
    await rename(draft, join(folder, name));
    for (const old of before) if (old !== name) await rm(join(folder, old), {force: true});
  } catch (error) {
    // On a full disk the half that was written is what others lack.
    await rm(draft, {force: true}).catch(() => undefined);
    throw storeError(error, 'write a checkpoint to', root);
  }
}
