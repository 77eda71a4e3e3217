import {type InlineRows, isOddNumber} from '../artifact/inline-rows.ts';
import {ARTIFACT_KINDS, type ArtifactKind} from '../artifact/kinds.ts';
import {canonicalJson} from '../base/canonical-json.ts';
import {type Digest, digestOf, isDigest, isKey, type Key, keyOf} from '../base/digest.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import type {OutputRecord, StoreRecord} from './record.ts';

const isKind = (text: Json | undefined): text is ArtifactKind => ARTIFACT_KINDS.some((kind) => kind === text);
const isCount = (value: Json | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** A record as its file holds it. */
export function recordText(record: StoreRecord): string {
  const {key, preimage, outputs, seconds} = record;
  return `${canonicalJson({key, preimage, outputs: outputsJson(outputs), seconds, check: checkOf(record)})}\n`;
}

/** Of what the key says nothing about: a digit that turned over in a small table would else be shown as a result. */
const checkOf = ({key, outputs, seconds}: StoreRecord): Digest =>
  digestOf(canonicalJson({key, outputs: outputsJson(outputs), seconds}));

export const outputsJson = (outputs: StoreRecord['outputs']): JsonObject =>
  Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, outputJson(output)]));

const outputJson = ({kind, digest, bytes, rows, inline}: OutputRecord): JsonObject => ({
  kind,
  digest,
  bytes,
  ...(rows !== undefined && {rows}),
  ...(inline !== undefined && {inline}),
});

/**
 * The record of a file's text, or nothing when it is cut, damaged, hand-made wrongly, or of another shape: then it is a miss. Records were once written without
 * a check; those stand.
 */
function parseRecord(text: string): StoreRecord | undefined {
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(json)) return undefined;
  const {key, preimage, outputs, seconds, check} = json;
  if (typeof key !== 'string' || !isKey(key) || !isJsonObject(preimage) || !isJsonObject(outputs)) return undefined;
  const checked = parseOutputs(outputs);
  if (!checked || typeof seconds !== 'number' || seconds < 0) return undefined;
  const record = {key, preimage, outputs: checked, seconds};
  const itsCheck = ofWritable(() => checkOf(record));
  return itsCheck !== undefined && (check === undefined || check === itsCheck) ? record : undefined;
}

/** Nothing for what JSON can be read from and not written to: `1e999`, half a character. No record of ours has any. */
function ofWritable<T>(canonical: () => T): T | undefined {
  try {
    return canonical();
  } catch {
    return undefined;
  }
}

export function parseOutputs(outputs: JsonObject): StoreRecord['outputs'] | undefined {
  const checked: [string, OutputRecord][] = [];
  for (const [name, output] of Object.entries(outputs)) {
    const parsed = parseOutput(output);
    if (!parsed) return undefined;
    checked.push([name, parsed]);
  }
  return Object.fromEntries(checked);
}

function parseOutput(json: Json): OutputRecord | undefined {
  if (!isJsonObject(json)) return undefined;
  const {kind, digest, bytes, rows, inline} = json;
  if (!isKind(kind) || typeof digest !== 'string' || !isDigest(digest) || !isCount(bytes)) return undefined;
  if (rows !== undefined && !isCount(rows)) return undefined;
  if (inline !== undefined && !isRows(inline)) return undefined;
  return {kind, digest, bytes, ...(rows !== undefined && {rows}), ...(inline !== undefined && {inline})};
}

const isRows = (json: Json): json is InlineRows =>
  Array.isArray(json) && json.every((row: Json) => isJsonObject(row) && Object.values(row).every(isCell));

const isCell = (json: Json): boolean =>
  typeof json === 'object'
    ? isJsonObject(json) && isOddNumber(json.number) && Object.keys(json).length === 1
    : json !== null;

/** As `parseRecord`; it must also be the record of this key, and say so truly. */
export function parseRecordOf(key: Key, text: string): StoreRecord | undefined {
  const record = parseRecord(text);
  if (record?.key !== key || ofWritable(() => keyOf(canonicalJson(record.preimage))) !== key) return undefined;
  return record;
}
