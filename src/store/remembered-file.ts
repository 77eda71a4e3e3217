import {randomUUID} from 'node:crypto';
import {appendFileSync, closeSync, fstatSync, openSync, readSync, renameSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {isKey, type Key} from '../base/digest.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import {REMEMBERED_DRAFT} from './draft-folders.ts';
import {openToRead} from './own-file.ts';
import type {RecordIndex} from './record-index.ts';
import {FILE_MODE} from './rights.ts';
import {isSystemError} from './store-error.ts';
import type {StoreLayout} from './store-layout.ts';
import {wholeLines} from './whole-lines.ts';

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

/**
 * Takes in the lines that were added since this index last looked; every line when the file is another than it was. Of a file that cannot be read
 * there is no news.
 */
export function syncRemembered(index: RecordIndex, {remembered}: StoreLayout): void {
  const size = statSync(remembered, {throwIfNoEntry: false})?.size ?? 0;
  if (size === Number(index.note(READ_TO) ?? 0)) return;
  try {
    index.transaction(() => {
      const at = size === 0 ? forgotten(index) : reading(remembered, (file) => takenIn(index, file));
      index.setNote(READ_OF, at.of);
      index.setNote(READ_TO, String(at.to));
    });
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Where a file of lines was read to, and which file that was: a trimmed one says so in its first line. */
interface Position {
  readonly of: string;
  readonly to: number;
}

function forgotten(index: RecordIndex): Position {
  index.forgetRemembered();
  return {of: '', to: 0};
}

function takenIn(index: RecordIndex, file: number): Position {
  const before = Number(index.note(READ_TO) ?? 0);
  const head = Buffer.alloc(HEAD_BYTES);
  const of = trimmedAs(head.toString('utf8', 0, readSync(file, head, 0, HEAD_BYTES, 0)).split('\n', 1)[0] ?? '');
  const isSame = of === (index.note(READ_OF) ?? '') && before <= fstatSync(file).size;
  if (!isSame || before === 0) index.forgetRemembered();
  let to = isSame ? before : 0;
  for (const piece of wholeLines(file, to)) {
    for (const line of piece.lines) {
      const entry = rememberedOf(line);
      if (entry) index.remember(entry.pipeline, entry.instance, entry.key, entry.name);
    }
    to = piece.to;
  }
  return {of, to};
}

/** @throws what the system answered where the lines are there and cannot be read: nobody knows then which keys are current. */
export function requireRemembered({remembered}: StoreLayout): void {
  if (statSync(remembered, {throwIfNoEntry: false}) !== undefined) reading(remembered, () => undefined);
}

/**
 * Leaves the last keys of each instance where the file has become large. What another driver adds at the very moment may be lost: `explain`
 * then compares with an older key. What cannot be read or written now is left for another time.
 */
export function trimRemembered({remembered, tmp}: StoreLayout): void {
  const draft = join(tmp, `${REMEMBERED_DRAFT}${randomUUID()}`);
  try {
    const size = statSync(remembered, {throwIfNoEntry: false})?.size ?? 0;
    if (size >= WORTH_TRIMMING_BYTES && writeTrimmed(remembered, draft, size / 2)) renameSync(draft, remembered);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  rmSync(draft, {force: true});
}

/** False when more than so many bytes would stay. */
function writeTrimmed(remembered: string, draft: string, most: number): boolean {
  return reading(remembered, (from) => {
    const left = new Map<string, number>();
    for (const {lines} of wholeLines(from, 0))
      for (const line of lines) {
        const entry = rememberedOf(line);
        if (entry) left.set(whose(entry), (left.get(whose(entry)) ?? 0) + 1);
      }
    const to = openSync(draft, 'wx', FILE_MODE);
    try {
      appendFileSync(to, `${JSON.stringify({event: 'trimmed', as: randomUUID()})}\n`);
      for (const {lines} of wholeLines(from, 0)) {
        const kept = lines.filter((line) => isKept(left, rememberedOf(line)));
        if (kept.length > 0) appendFileSync(to, `${kept.join('\n')}\n`);
        if (fstatSync(to).size > most) return false;
      }
      return true;
    } finally {
      closeSync(to);
    }
  });
}

const whose = ({pipeline, instance}: Remembered): string => JSON.stringify([pipeline, instance]);

/** @param left How many lines there are of each instance from here on. */
function isKept(left: Map<string, number>, entry: Remembered | undefined): boolean {
  if (!entry) return false;
  const count = left.get(whose(entry)) ?? 0;
  left.set(whose(entry), count - 1);
  return count <= KEPT_OF_AN_INSTANCE;
}

function reading<T>(path: string, work: (file: number) => T): T {
  const file = openToRead(path);
  try {
    return work(file);
  } finally {
    closeSync(file);
  }
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
