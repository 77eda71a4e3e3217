import type {SQLOutputValue} from 'node:sqlite';
import {canonicalJson} from '../base/canonical-json.ts';
import {type Digest, digestOf, isKey, type Key, keyOf} from '../base/digest.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import type {RecordCost} from './choose-evictions.ts';
import type {StoreRecord} from './record.ts';
import {outputsJson, parseOutputs} from './record-file.ts';

/** A row of the index is not what was written into it: SQLite finds damage to the order of its pages, and none to what is in them. */
export class DamagedIndex extends Error {
  constructor() {
    super('a row of the index is damaged');
  }
}

/** Of SQLite, and of a database that was closed. */
const SQLITE_CODES: ReadonlySet<unknown> = new Set(['ERR_SQLITE_ERROR', 'ERR_INVALID_STATE']);

export const isIndexError = (error: unknown): boolean =>
  error instanceof DamagedIndex || (error instanceof Error && 'code' in error && SQLITE_CODES.has(error.code));

/** The columns of what a record gave. */
export const RESULT = 'record.key, record.outputs, record.seconds, record.sum';
/** With what its key is of, which is the most of a row. */
export const RECORD = `${RESULT}, record.preimage`;

/** What a record gave, as the index has it. */
interface ResultTexts {
  readonly key: Key;
  readonly outputs: string;
  readonly seconds: number;
}
interface RecordTexts extends ResultTexts {
  readonly preimage: string;
}

export function recordTexts({key, preimage, outputs, seconds}: StoreRecord): RecordTexts & {readonly sum: Digest} {
  const texts = {key, preimage: canonicalJson(preimage), outputs: JSON.stringify(outputsJson(outputs)), seconds};
  return {...texts, sum: sumOf(texts)};
}

/** Of all but the preimage, which has the key for its sum. */
const sumOf = ({key, outputs, seconds}: ResultTexts): Digest => digestOf(`${key} ${seconds} ${outputs}`);

type Row = Readonly<Record<string, SQLOutputValue>>;

function checkedTexts({key, outputs, seconds, sum}: Row): ResultTexts {
  if (typeof key !== 'string' || !isKey(key) || typeof seconds !== 'number') throw new DamagedIndex();
  const texts = {key, outputs: String(outputs), seconds};
  if (sumOf(texts) !== sum) throw new DamagedIndex();
  return texts;
}

/**
 * A record from its row of the index. Its texts are parsed when they are first looked at: a no-op over ten thousand instances
 * asks for all records, and for the preimage of none, so that may even be asked for then. A preimage that is damaged or gone is an
 * empty one, which is like no other.
 *
 * @throws DamagedIndex when the outputs are not as they were written.
 */
export function indexedRecord(row: Row, preimageText = (_: Key): string => String(row.preimage)): StoreRecord {
  const {key, outputs, seconds} = checkedTexts(row);
  let preimageValue: JsonObject | undefined;
  let outputsValue: StoreRecord['outputs'] | undefined;
  const preimageOf = (): JsonObject => {
    const text = preimageText(key);
    return keyOf(text) === key ? objectOf(text) : {};
  };
  return {
    key,
    get preimage() {
      preimageValue ??= preimageOf();
      return preimageValue;
    },
    get outputs() {
      outputsValue ??= outputsOf(outputs);
      return outputsValue;
    },
    seconds,
  };
}

/** As `indexedRecord`, of a record that is asked for because of its preimage. */
export function indexedWithPreimage(row: Row): StoreRecord {
  if (keyOf(String(row.preimage)) !== row.key) throw new DamagedIndex();
  return indexedRecord(row);
}

/** The part of a row that says what its payloads took to compute. */
export function costOf(row: Row): RecordCost {
  const {key, outputs, seconds} = checkedTexts(row);
  const digests = Object.values(outputsOf(outputs)).map(({digest}) => digest);
  return {key, stage: String(row.stage), seconds, digests};
}

function outputsOf(text: string): StoreRecord['outputs'] {
  const parsed = parseOutputs(objectOf(text));
  if (parsed === undefined) throw notARecord();
  return parsed;
}

function objectOf(text: string): JsonObject {
  const json: Json = JSON.parse(text);
  if (!isJsonObject(json)) throw notARecord();
  return json;
}

// What the index holds passed `parseRecordOf` on its way in, and its sum is right.
const notARecord = () => new Error('Internal error: a row of the index is no record');
