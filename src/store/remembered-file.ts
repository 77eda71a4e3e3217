import {randomUUID} from 'node:crypto';
import {closeSync, fstatSync, readFileSync, readSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {isKey, type Key} from '../base/digest.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import {REMEMBERED_DRAFT} from './draft-folders.ts';
import {openToRead} from './own-file.ts';
import type {RecordIndex} from './record-index.ts';
import {FILE_MODE} from './rights.ts';
import type {StoreLayout} from './store-layout.ts';

/** What a line of `runs/remembered.jsonl` says: the key that an instance of a pipeline has from now on. */
interface Remembered {
  readonly pipeline: string;
  readonly name: string | undefined;
  readonly instance: string;
  readonly key: Key;
}

/** `explain` compares with the last key of these that still has a record. */
const KEPT_OF_AN_INSTANCE = 20;
const WORTH_TRIMMING_BYTES = 1_000_000;
/** Long enough for the first line of a trimmed file. */
const HEAD_BYTES = 80;

const READ_TO = 'remembered-bytes';
const READ_OF = 'remembered-file';

/** Takes in the lines that were added since this index last looked; every line when the file is another than it was. */
export function syncRemembered(index: RecordIndex, {remembered}: StoreLayout): void {
  const size = statSync(remembered, {throwIfNoEntry: false})?.size ?? 0;
  if (size === Number(index.note(READ_TO) ?? 0)) return;
  index.transaction(() => {
    const before = {of: index.note(READ_OF) ?? '', to: Number(index.note(READ_TO) ?? 0)};
    const {of, from, to, text} = size === 0 ? {of: '', from: 0, to: 0, text: ''} : newLines(remembered, before);
    if (from === 0) index.forgetRemembered();
    for (const line of text.split('\n')) {
      const entry = rememberedOf(line);
      if (entry) index.remember(entry.pipeline, entry.instance, entry.key, entry.name);
    }
    index.setNote(READ_OF, of);
    index.setNote(READ_TO, String(to));
  });
}

/** Where a file of lines was read to, and which file that was: a trimmed one says so in its first line. */
interface Position {
  readonly of: string;
  readonly to: number;
}

function newLines(path: string, before: Position): Position & {readonly from: number; readonly text: string} {
  const file = openToRead(path);
  try {
    const of = trimmedAs(bytesOf(file, 0, HEAD_BYTES).toString('utf8').split('\n', 1)[0] ?? '');
    const {size} = fstatSync(file);
    const from = of === before.of && before.to <= size ? before.to : 0;
    const bytes = bytesOf(file, from, size - from);
    const length = bytes.lastIndexOf(0x0a) + 1; // a line still being written waits for its end
    return {of, from, to: from + length, text: bytes.toString('utf8', 0, length)};
  } finally {
    closeSync(file);
  }
}

function bytesOf(file: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, from));
}

/**
 * Leaves the last keys of each instance where the file has become large. What another driver adds at the very moment may be lost: `explain`
 * then compares with an older key.
 */
export function trimRemembered({remembered, tmp}: StoreLayout): void {
  const size = statSync(remembered, {throwIfNoEntry: false})?.size ?? 0;
  if (size < WORTH_TRIMMING_BYTES) return;
  const lines = readFileSync(remembered, 'utf8').split('\n');
  const kept: string[] = [];
  const counts = new Map<string, number>();
  for (const line of lines.toReversed()) {
    const entry = rememberedOf(line);
    if (!entry) continue;
    const whose = JSON.stringify([entry.pipeline, entry.instance]);
    const count = (counts.get(whose) ?? 0) + 1;
    counts.set(whose, count);
    if (count <= KEPT_OF_AN_INSTANCE) kept.push(line);
  }
  const draft = join(tmp, `${REMEMBERED_DRAFT}${randomUUID()}`);
  const text = [JSON.stringify({event: 'trimmed', as: randomUUID()}), ...kept.reverse()].join('\n');
  if (text.length > size / 2) return;
  writeFileSync(draft, `${text}\n`, {mode: FILE_MODE});
  renameSync(draft, remembered);
}

const objectOf = (line: string): JsonObject => {
  try {
    const entry: Json = JSON.parse(line);
    return isJsonObject(entry) ? entry : {};
  } catch {
    return {};
  }
};

function trimmedAs(line: string): string {
  const {event, as} = objectOf(line);
  return event === 'trimmed' && typeof as === 'string' ? as : '';
}

function rememberedOf(line: string): Remembered | undefined {
  const {event, pipeline, name, instance, key} = objectOf(line);
  if (event !== 'remember' || typeof pipeline !== 'string' || typeof instance !== 'string') return undefined;
  if (typeof key !== 'string' || !isKey(key)) return undefined;
  return {pipeline, name: typeof name === 'string' ? name : undefined, instance, key};
}
