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

/** The columns that `indexedRecord` reads. */
export const RECORD = 'record.key, record.preimage, record.outputs, record.seconds, record.sum';

/** A record as the index has it. */
interface RecordTexts {
  readonly key: Key;
  readonly preimage: string;
  readonly outputs: string;
  readonly seconds: number;
}

export function recordTexts({key, preimage, outputs, seconds}: StoreRecord): RecordTexts & {readonly sum: Digest} {
  const texts = {key, preimage: canonicalJson(preimage), outputs: JSON.stringify(outputsJson(outputs)), seconds};
  return {...texts, sum: sumOf(texts)};
}

/** Of all but the preimage, which has the key for its sum. */
const sumOf = ({key, outputs, seconds}: RecordTexts): Digest => digestOf(`${key} ${seconds} ${outputs}`);

type Row = Readonly<Record<string, SQLOutputValue>>;

function checkedTexts({key, preimage, outputs, seconds, sum}: Row): RecordTexts {
  if (typeof key !== 'string' || !isKey(key) || typeof seconds !== 'number') throw new DamagedIndex();
  const texts = {key, preimage: String(preimage), outputs: String(outputs), seconds};
  if (sumOf(texts) !== sum) throw new DamagedIndex();
  return texts;
}

/**
 * A record from its row of the index. Its texts are parsed when they are first looked at: a no-op over ten thousand instances
 * asks for all records, and for the preimage of none. A preimage that is damaged is then an empty one, which is like no other.
 *
 * @throws DamagedIndex when the outputs are not as they were written.
 */
export function indexedRecord(row: Row): StoreRecord {
  const {key, preimage, outputs, seconds} = checkedTexts(row);
  let preimageValue: JsonObject | undefined;
  let outputsValue: StoreRecord['outputs'] | undefined;
  return {
    key,
    get preimage() {
      preimageValue ??= keyOf(preimage) === key ? objectOf(preimage) : {};
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
