import {createHash} from 'node:crypto';
import {type FileHandle, open} from 'node:fs/promises';
import {basename} from 'node:path';
import type {NamedTensor} from '../../../src/artifact/kinds.ts';
import {asDigest} from '../../../src/base/digest.ts';
import {isJsonObject, type Json} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {checkPinned, isPinned} from '../../../src/stage/pinned-files.ts';
import {FLOAT_BYTES, type FloatFormat, isFloatFormat, toFloat32} from './float-formats.ts';
import {quoted} from './quoted.ts';
import {LONGEST_JSON, parseObject} from './read-json.ts';

const LENGTH_BYTES = 8;

/** A tensor of a file; `begin` and `end` count bytes from the end of the header. */
interface Entry {
  readonly name: string;
  readonly format: FloatFormat;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

const OTHER_NUMBERS = 'Save the checkpoint again in one of these, with save_pretrained(folder).';
const LFS_POINTER = 'version ';
const DAMAGED = 'The file is damaged or not complete; fetch it again and compare its size and SHA-256 with the source.';

const counts = (value: Json | undefined): readonly number[] | undefined => {
  if (!Array.isArray(value)) return undefined;
  const numbers = value.filter(
    (item): item is number => Number.isSafeInteger(item) && (item > 0 || Object.is(item, 0)),
  );
  return numbers.length === value.length ? numbers : undefined;
};

type Refuse = (reason: string, hint?: string) => StageError;
const refusalOf =
  (file: string): Refuse =>
  (reason, hint = DAMAGED) =>
    new StageError(`${file} cannot be read as safetensors: ${reason}.`, hint);

const formatName = (dtype: string): string => (/^\w{1,20}$/.test(dtype) ? dtype : quoted(dtype));

const MOST_SIDES_SHOWN = 8;
const shapeText = (shape: readonly number[]): string =>
  shape.length > MOST_SIDES_SHOWN ? `[${shape.slice(0, MOST_SIDES_SHOWN)},…] (${shape.length} sides)` : `[${shape}]`;

function entryOf(name: string, value: Json, refuse: Refuse): Entry {
  const tensor = `tensor ${quoted(name)}`;
  if (!isJsonObject(value)) throw refuse(`${tensor} is not described by an object`);
  const {dtype} = value;
  if (typeof dtype !== 'string') throw refuse(`${tensor} has no dtype`);
  if (!isFloatFormat(dtype)) {
    throw refuse(
      `${tensor} is stored as ${formatName(dtype)}, and only ${Object.keys(FLOAT_BYTES).join(', ')} can be read`,
      OTHER_NUMBERS,
    );
  }
  const shape = counts(value.shape);
  if (shape === undefined) throw refuse(`${tensor} has no shape of whole numbers`);
  const [begin, end, ...more] = counts(value.data_offsets) ?? [];
  if (begin === undefined || end === undefined || more.length > 0 || begin > end) {
    throw refuse(`${tensor} has no pair of ascending data_offsets`);
  }
  const bytes = shape.reduce((product, extent) => product * extent, FLOAT_BYTES[dtype]);
  if (bytes !== end - begin) {
    throw refuse(
      `${tensor} of shape ${shapeText(shape)} and dtype ${dtype} needs ${bytes} bytes but is given ${end - begin}`,
    );
  }
  return {name, format: dtype, shape, begin, end};
}

/** The tensors that a header describes, in the order of their bytes, which must fill the file without gap or overlap. */
function entriesOf(header: string, dataBytes: number, file: string): Entry[] {
  const refuse = refusalOf(file);
  const entries = Object.entries(parseObject(header, `The header of ${file}`))
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => entryOf(name, value, refuse))
    .toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  let filled = 0;
  for (const {name, begin, end} of entries) {
    const tensor = `tensor ${quoted(name)}`;
    if (begin < filled) throw refuse(`${tensor} overlaps the one before it at byte ${begin}`);
    if (begin > filled) throw refuse(`bytes ${filled} to ${begin} before ${tensor} belong to no tensor`);
    if (end > dataBytes) throw refuse(`${tensor} ends at byte ${end}, but there are only ${dataBytes} bytes of data`);
    filled = end;
  }
  if (filled < dataBytes) throw refuse(`the last ${dataBytes - filled} bytes belong to no tensor`);
  return entries;
}

const LARGEST_READ = 2 ** 30;

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const {bytesRead} = await handle.read(bytes, done, Math.min(length - done, LARGEST_READ), position + done);
    if (bytesRead === 0) throw new StageError('A checkpoint file grew shorter while it was read.', DAMAGED);
    done += bytesRead;
  }
  return bytes;
}

interface Header {
  readonly text: string;
  /** All up to the first tensor, as it is in the file. */
  readonly head: readonly Uint8Array[];
  readonly dataStart: number;
  readonly size: number;
}

async function readHeader(handle: FileHandle, file: string): Promise<Header> {
  const {size} = await handle.stat();
  const refuse = refusalOf(file);
  if (size < LENGTH_BYTES) throw refuse(`it is ${size} bytes long, too short for a header`);
  const prefix = await readExactly(handle, 0, LENGTH_BYTES);
  if (Buffer.from(prefix).toString('latin1') === LFS_POINTER) {
    throw refuse('it is the pointer of Git LFS and not the file itself', 'Fetch the file with `git lfs pull`.');
  }
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(size - LENGTH_BYTES)) {
    throw refuse(`its header claims ${length} bytes, but only ${size - LENGTH_BYTES} follow`);
  }
  if (length > BigInt(LONGEST_JSON)) {
    throw refuse(`its header claims ${length} bytes, and basin reads headers of up to ${LONGEST_JSON}`);
  }
  const bytes = await readExactly(handle, LENGTH_BYTES, Number(length));
  try {
    const text = new TextDecoder('utf-8', {fatal: true}).decode(bytes);
    return {text, head: [prefix, bytes], dataStart: LENGTH_BYTES + Number(length), size};
  } catch {
    throw refuse('its header is not UTF-8 text');
  }
}

/**
 * Every tensor of a safetensors file as float32, in the order of the file. Nothing is allocated before the header has been
 * held against the file's size. One that is in a key is hashed on the way, a tensor while the next is fetched: together they are the whole file.
 *
 * @throws StageError when the file breaks the format in any way, or holds numbers that are not F32, F16 or BF16.
 */
export async function readSafetensors(path: string): Promise<NamedTensor[]> {
  const file = basename(path);
  const handle = await open(path).catch((error: Error) => {
    const reason = 'code' in error ? String(error.code) : error.message;
    throw new StageError(`${file} cannot be opened (${reason}).`, 'Check that the file is there and readable.');
  });
  try {
    const {text, head, dataStart, size} = await readHeader(handle, file);
    const hash = isPinned() ? createHash('sha256') : undefined;
    for (const bytes of head) hash?.update(bytes);
    const entries = entriesOf(text, size - dataStart, file);
    const fetched = (entry: Entry | undefined) =>
      entry && readExactly(handle, dataStart + entry.begin, entry.end - entry.begin);
    const tensors: NamedTensor[] = [];
    let next = fetched(entries[0]);
    for (const [at, {name, format, shape}] of entries.entries()) {
      const bytes = (await next) ?? new Uint8Array();
      next = fetched(entries[at + 1]);
      hash?.update(bytes);
      tensors.push({name, shape, values: toFloat32(format, bytes)});
    }
    if (hash) checkPinned(path, asDigest(hash.digest('hex')));
    return tensors;
  } finally {
    await handle.close();
  }
}
