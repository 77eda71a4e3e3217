import {hash} from 'node:crypto';

/** SHA-256 of bytes, in lower-case hex. */
export type Digest = string & {readonly __brand: 'digest'};
/** SHA-256 of everything that decides an instance's outputs, in lower-case hex. */
export type Key = string & {readonly __brand: 'key'};

const HEX_LENGTH = 64;
const [ZERO, NINE, A, F] = [0x30, 0x39, 0x61, 0x66];

/** A loop and no regular expression: a plan over ten thousand instances asks fifty thousand times. */
function isHex(text: string): boolean {
  if (text.length !== HEX_LENGTH) return false;
  for (let at = 0; at < HEX_LENGTH; at += 1) {
    const code = text.charCodeAt(at);
    if (!((code >= ZERO && code <= NINE) || (code >= A && code <= F))) return false;
  }
  return true;
}

export const isDigest = (text: string): text is Digest => isHex(text);
export const isKey = (text: string): text is Key => isHex(text);

export function digestOf(bytes: Uint8Array | string): Digest {
  return asDigest(hash('sha256', bytes));
}

export function asDigest(hex: string): Digest {
  if (!isDigest(hex)) throw new Error('Internal error: SHA-256 gave no hex text');
  return hex;
}

export function keyOf(preimage: string): Key {
  const hex = hash('sha256', preimage);
  if (!isKey(hex)) throw new Error('Internal error: SHA-256 gave no hex text');
  return hex;
}
