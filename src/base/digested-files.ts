import {createHash} from 'node:crypto';
import {closeSync, openSync, readSync, statSync, writeFileSync} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {asDigest, type Digest, digestOf} from './digest.ts';

/** Large enough that a system call costs nothing beside its bytes, small enough to stay in a cache. */
const PIECE = 4 * 2 ** 20;

/** What is no larger is read and written before one of Node's I/O threads would have woken up. */
const SMALL = 64 * 1024;

/** Digest of a file's content, which is never in memory as a whole. */
export async function digestOfFile(path: string): Promise<Digest> {
  const small = smallContent(path);
  if (small) return digestOf(small);
  const file = await open(path, 'r');
  try {
    const {size} = await file.stat();
    const length = Math.min(PIECE, size === 0 ? 2 ** 16 : size); // of what is no plain file the size is said to be 0
    const free = [Buffer.allocUnsafe(length), Buffer.allocUnsafe(length)];
    return await digestOfPieces(async () => {
      const [buffer = Buffer.allocUnsafe(length)] = free;
      free.reverse();
      const {bytesRead} = await file.read(buffer, 0, length, null);
      return buffer.subarray(0, bytesRead);
    });
  } finally {
    await file.close();
  }
}

/** As `digestOfFile`, at once, whatever the size. */
export function digestOfFileNow(path: string): Digest {
  const file = openSync(path, 'r');
  try {
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(PIECE);
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) hash.update(piece.subarray(0, read));
    return asDigest(hash.digest('hex'));
  } finally {
    closeSync(file);
  }
}

/** As `digestOfFile`, at once; nothing of a file that is large, empty or not there. */
export function digestOfSmallFile(path: string): Digest | undefined {
  const small = smallContent(path);
  return small && digestOf(small);
}

/** A file's bytes with their digest. Pieces, since Node refuses to read more than 2 GiB at once. */
export async function readDigested(path: string): Promise<{bytes: Uint8Array<ArrayBuffer>; digest: Digest}> {
  const small = smallContent(path);
  if (small) return {bytes: small, digest: digestOf(small)};
  const file = await open(path, 'r');
  try {
    const {size} = await file.stat();
    const bytes = new Uint8Array(size);
    let at = 0;
    const digest = await digestOfPieces(async () => {
      const {bytesRead} = await file.read(bytes, at, Math.min(PIECE, size - at), at);
      at += bytesRead;
      return bytes.subarray(at - bytesRead, at);
    });
    return {bytes, digest};
  } finally {
    await file.close();
  }
}

/** Writes a file and gives the digest of what was written. */
export async function writeDigested(path: string, bytes: Uint8Array): Promise<Digest> {
  if (bytes.length <= SMALL) {
    writeFileSync(path, bytes);
    return digestOf(bytes);
  }
  const file = await open(path, 'w');
  try {
    const hash = createHash('sha256');
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      const written = writeWhole(file, piece);
      hash.update(piece);
      await written;
    }
    return asDigest(hash.digest('hex'));
  } finally {
    await file.close();
  }
}

/** All bytes of a plain file that is small; of one that says to be empty nothing, since it may be one of the system's. */
function smallContent(path: string): Uint8Array<ArrayBuffer> | undefined {
  const status = statSync(path, {throwIfNoEntry: false});
  if (!status?.isFile() || status.size === 0 || status.size > SMALL) return undefined;
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(status.size);
    let [at, read] = [0, 0];
    do at += read = readSync(file, bytes, at, bytes.length - at, at);
    while (read > 0 && at < bytes.length);
    return at === bytes.length ? bytes : undefined;
  } finally {
    closeSync(file);
  }
}

async function writeWhole(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let at = 0; at < piece.length; ) at += (await file.write(piece, at, piece.length - at)).bytesWritten;
}

/** One piece is hashed while the next is fetched; an empty one is the end. */
async function digestOfPieces(fetch: () => Promise<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256');
  for (let next = fetch(); ; ) {
    const piece = await next;
    if (piece.length === 0) return asDigest(hash.digest('hex'));
    next = fetch();
    hash.update(piece);
  }
}
