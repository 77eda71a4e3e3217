import {createWriteStream} from 'node:fs';
import {type FileHandle, mkdir} from 'node:fs/promises';
import {dirname} from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {crc32, createInflateRaw} from 'node:zlib';

/** A file in a zip archive, from its central directory (APPNOTE.TXT 6.3, section 4.3.12). */
export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LONGEST_END = 22 + 65535;

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const {bytesRead} = await file.read(buffer, 0, length, position);
  if (bytesRead !== length) throw new Error('the archive ends early');
  return buffer;
}

const CHUNK_BYTES = 1 << 20;

async function* stretch(file: FileHandle, start: number, length: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < length; done += CHUNK_BYTES) {
    yield await readAt(file, start + done, Math.min(CHUNK_BYTES, length - done));
  }
}

/**
 * The files of a zip archive. Archives over 4 GiB (zip64) are not read.
 *
 * @throws Error with a clause as message when it is not such an archive.
 */
export async function zipEntries(file: FileHandle): Promise<readonly ZipEntry[]> {
  const {size} = await file.stat();
  const tail = await readAt(file, Math.max(0, size - LONGEST_END), Math.min(size, LONGEST_END));
  let end = tail.length - 22;
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--;
  if (end < 0) throw new Error('it is not a zip archive');
  const count = tail.readUInt16LE(end + 10);
  const directory = await readAt(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  const entries: ZipEntry[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error('its directory is damaged');
    const nameLength = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
      method: directory.readUInt16LE(at + 10),
      crc32: directory.readUInt32LE(at + 16),
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      headerOffset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/**
 * Writes one file of an archive to a path, in a stream; `written` hears of every stretch of bytes.
 *
 * @throws Error with a clause as message when size or CRC-32 are not what the directory says.
 */
export async function extractEntry(
  file: FileHandle,
  entry: ZipEntry,
  path: string,
  written: (bytes: number) => void = () => {},
): Promise<void> {
  const local = await readAt(file, entry.headerOffset, 30);
  const start = entry.headerOffset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const compressed = Readable.from(stretch(file, start, entry.compressedSize));
  let sum = 0;
  let size = 0;
  async function* checked(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const bytes of source) {
      sum = crc32(bytes, sum);
      size += bytes.length;
      written(bytes.length);
      yield bytes;
    }
  }
  await mkdir(dirname(path), {recursive: true});
  const target = createWriteStream(path);
  if (entry.method === 8) await pipeline(compressed, createInflateRaw({chunkSize: 1 << 20}), checked, target);
  else if (entry.method === 0) await pipeline(compressed, checked, target);
  else throw new Error(`${entry.name} is packed by method ${entry.method}, which is unknown here`);
  if (size !== entry.size || sum !== entry.crc32) throw new Error(`${entry.name} in it is damaged`);
}
