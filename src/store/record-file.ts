import type {ArtifactKind, Rows} from '../artifact/kinds.ts';
import {canonicalJson} from '../base/canonical-json.ts';
import {isDigest, isKey, type Key, keyOf} from '../base/digest.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import type {OutputRecord, StoreRecord} from './record.ts';

const KINDS: Readonly<Record<ArtifactKind, true>> = {
  weights: true,
  mask: true,
  metrics: true,
  evals: true,
  points: true,
  summary: true,
};
const isKind = (text: Json | undefined): text is ArtifactKind => typeof text === 'string' && Object.hasOwn(KINDS, text);
const isCount = (value: Json | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** A record as its file and the index hold it. */
export function recordText({key, preimage, outputs, seconds}: StoreRecord): string {
  const plain = Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, outputJson(output)]));
  return `${canonicalJson({key, preimage, outputs: plain, seconds})}\n`;
}

const outputJson = ({kind, digest, bytes, rows, inline}: OutputRecord): JsonObject => ({
  kind,
  digest,
  bytes,
  ...(rows !== undefined && {rows}),
  ...(inline !== undefined && {inline}),
});

/** The record of a text, or nothing when it is cut, hand-made wrongly, or of another shape: then it is a miss. */
export function parseRecord(text: string): StoreRecord | undefined {
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(json)) return undefined;
  const {key, preimage, outputs, seconds} = json;
  if (typeof key !== 'string' || !isKey(key) || !isJsonObject(preimage) || !isJsonObject(outputs)) return undefined;
  if (typeof seconds !== 'number') return undefined;
  const checked: [string, OutputRecord][] = [];
  for (const [name, output] of Object.entries(outputs)) {
    const parsed = parseOutput(output);
    if (!parsed) return undefined;
    checked.push([name, parsed]);
  }
  return {key, preimage, outputs: Object.fromEntries(checked), seconds};
}

function parseOutput(json: Json): OutputRecord | undefined {
  if (!isJsonObject(json)) return undefined;
  const {kind, digest, bytes, rows, inline} = json;
  if (!isKind(kind) || typeof digest !== 'string' || !isDigest(digest) || !isCount(bytes)) return undefined;
  if (rows !== undefined && !isCount(rows)) return undefined;
  if (inline !== undefined && !isRows(inline)) return undefined;
  return {kind, digest, bytes, ...(rows !== undefined && {rows}), ...(inline !== undefined && {inline})};
}

const isRows = (json: Json): json is Rows =>
  Array.isArray(json) &&
  json.every(
    (row: Json) => isJsonObject(row) && Object.values(row).every((cell) => cell !== null && typeof cell !== 'object'),
  );

/** As `parseRecord`, for a text from outside the index: it must be the record of this key, and say so truly. */
export function parseRecordOf(key: Key, text: string): StoreRecord | undefined {
  const record = parseRecord(text);
  if (record?.key !== key || keyOf(canonicalJson(record.preimage)) !== key) return undefined;
  return record;
}
