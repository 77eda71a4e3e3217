import type {SQLOutputValue} from 'node:sqlite';
import {isKey} from '../base/digest.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import type {RecordCost} from './choose-evictions.ts';
import type {StoreRecord} from './record.ts';
import {parseOutputs} from './record-file.ts';

/** The columns that `indexedRecord` reads. */
export const RECORD = 'record.key, record.preimage, record.outputs, record.seconds';

/**
 * A record from its row of the index. Its texts are parsed when they are first looked at: a no-op over ten thousand instances
 * asks for all records, and for the preimage of none.
 */
export function indexedRecord(row: Readonly<Record<string, SQLOutputValue>>): StoreRecord {
  const {key, preimage, outputs, seconds} = row;
  if (typeof key !== 'string' || !isKey(key)) throw notARecord();
  let preimageValue: JsonObject | undefined;
  let outputsValue: StoreRecord['outputs'] | undefined;
  return {
    key,
    get preimage() {
      preimageValue ??= objectOf(preimage);
      return preimageValue;
    },
    get outputs() {
      outputsValue ??= parseOutputs(objectOf(outputs));
      if (outputsValue === undefined) throw notARecord();
      return outputsValue;
    },
    seconds: Number(seconds),
  };
}

/** The part of a row that says what its payloads took to compute. */
export function costOf({key, stage, outputs, seconds}: Readonly<Record<string, SQLOutputValue>>): RecordCost {
  const parsed = parseOutputs(objectOf(outputs));
  if (typeof key !== 'string' || !isKey(key) || parsed === undefined) throw notARecord();
  const digests = Object.values(parsed).map(({digest}) => digest);
  return {key, stage: String(stage), seconds: Number(seconds), digests};
}

function objectOf(text: SQLOutputValue | undefined): JsonObject {
  const json: Json = JSON.parse(String(text));
  if (!isJsonObject(json)) throw notARecord();
  return json;
}

// What the index holds passed `parseRecordOf` on its way in, and SQLite finds damage to its pages itself.
const notARecord = () => new Error('Internal error: a row of the index is no record');
