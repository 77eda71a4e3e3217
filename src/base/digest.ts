import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {pipeline} from 'node:stream/promises';

/** SHA-256 of bytes, in lower-case hex. */
export type Digest = string & {readonly __brand: 'digest'};
/** SHA-256 of everything that decides an instance's outputs, in lower-case hex. */
export type Key = string & {readonly __brand: 'key'};

const HEX = /^[0-9a-f]{64}$/;

export const isDigest = (text: string): text is Digest => HEX.test(text);
export const isKey = (text: string): text is Key => HEX.test(text);

export function digestOf(bytes: Uint8Array | string): Digest {
  const hex = createHash('sha256').update(bytes).digest('hex');
  if (!isDigest(hex)) throw new Error('Internal error: SHA-256 gave no hex text');
  return hex;
}

export function keyOf(preimage: string): Key {
  const hex: string = digestOf(preimage);
  if (!isKey(hex)) throw new Error('Internal error: SHA-256 gave no hex text');
  return hex;
}

/** Digest of a file's content, streamed, so that size is no limit. */
export async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const hex = hash.digest('hex');
  if (!isDigest(hex)) throw new Error('Internal error: SHA-256 gave no hex text');
  return hex;
}
