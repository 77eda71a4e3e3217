import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import {ArtifactError} from './artifact-error.ts';
import {DIVERGED} from './encode-table.ts';
import {INFINITE, isInfinite} from './infinite.ts';

/** A number that may not be what is written, or one that JSON does not have. */
const SUSPICIOUS = /(?<![.\d])\d{16}|[eE][+-]?\d{3}|\.0{200}|NaN|Infinity/;
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]|-?(?:NaN|Infinity|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/**
 * JSON of a list of rows in which every number is the one that is written, and every cell is there. `Infinity`, which Python writes, is a number, and so is what basin writes for it.
 *
 * @throws ArtifactError when a number cannot be had exactly or a row has a column twice, and SyntaxError when it is no JSON.
 */
export function parseExactly(text: string): Json {
  if (!SUSPICIOUS.test(text)) {
    const value: Json = JSON.parse(text);
    if (namesIn(value) === namesWritten(text)) return value;
  }
  let fault: ArtifactError | undefined;
  let [row, column] = [-1, ''];
  /** The names so far of each map that is open. */
  const open: Set<string>[] = [];
  const plain = text.replace(TOKEN, (token: string, colon: string | undefined) => {
    if (token === '{') {
      if (open.length === 0) row += 1;
      open.push(new Set());
    } else if (token === '}') open.pop();
    else if (token.startsWith('"')) {
      if (colon === undefined) return token;
      column = token.slice(0, -colon.length);
      const names = open.at(-1);
      const name: string = JSON.parse(column);
      if (names?.has(name)) fault ??= new ArtifactError(`Row ${row} of a table has the column ${column} twice.`, ONCE);
      names?.add(name);
    } else if (isInfinite(token)) return token.replace('Infinity', INFINITE);
    else {
      fault ??= faultOf(token, `Row ${row} of a table has ${token} in column ${column}`);
      if (token.endsWith('NaN')) return '0';
    }
    return token;
  });
  const value: Json = JSON.parse(plain);
  if (fault) throw fault;
  return value;
}

const ONCE = 'Write one cell for each column of a row.';

/** How many names the rows of a table have. */
const namesIn = (rows: Json): number =>
  Array.isArray(rows) ? rows.reduce((sum: number, row: Json) => sum + (isJsonObject(row) ? countOf(row) : 0), 0) : 0;

function countOf(row: JsonObject): number {
  let count = 0;
  for (const _ in row) count += 1;
  return count;
}

/** At least as many as there are, since a text may look like one; a name that is given twice is counted twice. */
function namesWritten(text: string): number {
  const name = /"\s*:/g;
  let count = 0;
  while (name.test(text)) count += 1;
  return count;
}

function faultOf(token: string, what: string): ArtifactError | undefined {
  if (token.endsWith('NaN')) return new ArtifactError(`${what}, which must hold a number.`, DIVERGED);
  const value = Number(token);
  if (!Number.isFinite(value))
    return new ArtifactError(`${what}, and numbers go up to ${Number.MAX_VALUE}.`, 'Write Infinity where it is meant.');
  if (value === 0 && /^-?[0.]*[1-9]/.test(token))
    return new ArtifactError(`${what}, and the nearest number of 64 bits is 0.`, 'Write 0 where it may be rounded.');
  const isRounded = /^-?\d+$/.test(token) && String(value) !== token && BigInt(value) !== BigInt(token);
  return isRounded ? inexact(what, BigInt(value)) : undefined;
}

/** Whole numbers beyond 2^53 have gaps between them. */
export const inexact = (what: string, nearest: bigint): ArtifactError =>
  new ArtifactError(
    `${what}, and the nearest number of 64 bits is ${nearest}.`,
    `Write it as text where it is a name, or as ${nearest} where it may be rounded.`,
  );
