import type {Json} from '../base/json.ts';
import {ArtifactError} from './artifact-error.ts';
import {DIVERGED} from './encode-table.ts';

/** A number that may not be what is written, or one that JSON does not have. */
const SUSPICIOUS = /(?<![.\d])\d{16}|[eE]\+?\d{3}|NaN|Infinity/;
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|\{|-?(?:NaN|Infinity|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;
/** What every reader of JSON takes for infinity. */
const INFINITE = '1e999';

/**
 * JSON of a list of rows in which every number is the one that is written. `Infinity`, which Python writes, is a number.
 *
 * @throws ArtifactError when a number cannot be had exactly, and SyntaxError when it is no JSON.
 */
export function parseExactly(text: string): Json {
  if (!SUSPICIOUS.test(text)) return JSON.parse(text);
  let fault: ArtifactError | undefined;
  let [row, column] = [-1, ''];
  const plain = text.replace(TOKEN, (token: string, colon: string | undefined) => {
    if (token === '{') row += 1;
    else if (token.startsWith('"')) {
      if (colon !== undefined) column = token.slice(0, -colon.length);
    } else if (token.endsWith('Infinity')) return token.replace('Infinity', INFINITE);
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

function faultOf(token: string, what: string): ArtifactError | undefined {
  if (token.endsWith('NaN')) return new ArtifactError(`${what}, which must hold a number.`, DIVERGED);
  const value = Number(token);
  if (!Number.isFinite(value))
    return new ArtifactError(`${what}, and numbers go up to ${Number.MAX_VALUE}.`, 'Write Infinity where it is meant.');
  const isRounded = /^-?\d+$/.test(token) && String(value) !== token && BigInt(value) !== BigInt(token);
  return isRounded ? inexact(what, BigInt(value)) : undefined;
}

/** Whole numbers beyond 2^53 have gaps between them. */
export const inexact = (what: string, nearest: bigint): ArtifactError =>
  new ArtifactError(
    `${what}, and the nearest number of 64 bits is ${nearest}.`,
    `Write it as text where it is a name, or as ${nearest} where it may be rounded.`,
  );
