import {tableFromIPC} from 'apache-arrow';
import type {Json} from '../base/json.ts';
import {KIND_FIELD} from './arrow-file.ts';
import {ArtifactError} from './artifact-error.ts';
import {decodeArtifact} from './decode.ts';
import {inexact, parseExactly} from './exact-json.ts';
import type {Cell, Row, Rows, TableKind} from './kinds.ts';

const ARROW_MAGIC = Buffer.from('ARROW1');
const HINT = 'Write an Arrow IPC file, or a JSON list of rows such as [{"loss": 0.5}].';

/**
 * The rows that another program wrote: an Arrow IPC file by any library, or a JSON list of objects.
 *
 * @param name how messages call the file.
 * @throws ArtifactError when it is neither, or a cell is no text, number, true or false, or a number that cannot be had exactly.
 */
export function readTable(kind: TableKind, bytes: Uint8Array, name: string): Rows {
  const isArrow = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(0, 6).equals(ARROW_MAGIC);
  return isArrow ? arrowRows(kind, bytes, name) : jsonRows(bytes, name);
}

function arrowRows(kind: TableKind, bytes: Uint8Array, name: string): Rows {
  let rows: readonly unknown[];
  try {
    const table = tableFromIPC(bytes);
    if (table.schema.metadata.get(KIND_FIELD) === kind) return decodeArtifact(kind, bytes, name);
    const {names} = table.schema;
    const again = names.find((column, index) => names.indexOf(column) !== index);
    if (again !== undefined)
      throw new ArtifactError(`${name} has two columns "${String(again)}".`, 'Name each column once.');
    rows = table.toArray().map((row: {toJSON(): unknown}) => row.toJSON());
  } catch (error) {
    if (error instanceof ArtifactError) throw error;
    throw new ArtifactError(`${name} begins like an Arrow file and cannot be read as one.`, HINT);
  }
  return rows.map((row, index) => rowOf(row, index, name));
}

function jsonRows(bytes: Uint8Array, name: string): Rows {
  let value: Json;
  try {
    value = parseExactly(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
  } catch (error) {
    if (error instanceof ArtifactError) throw error;
    throw new ArtifactError(`${name} is neither an Arrow file nor JSON.`, HINT);
  }
  if (!Array.isArray(value)) throw new ArtifactError(`${name} holds JSON that is no list of rows.`, HINT);
  return value.map((row: Json, index) => rowOf(row, index, name));
}

/** A name that begins a sentence, within one. */
const inside = (name: string): string => name.replace(/^The /, 'the ');

function rowOf(row: unknown, index: number, name: string): Row {
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw new ArtifactError(`Row ${index} of ${inside(name)} is no map of columns to cells.`, HINT);
  return Object.fromEntries(
    Object.entries(row).map(([column, value]: [string, unknown]): [string, Cell] => {
      const cell =
        typeof value === 'bigint'
          ? exactly(value, `Row ${index} of a table has ${value} in column "${column}"`)
          : value;
      if (typeof cell === 'string' || typeof cell === 'number' || typeof cell === 'boolean') return [column, cell];
      const shown = cell === null || cell === undefined ? 'nothing' : 'something else';
      throw new ArtifactError(
        `Row ${index} of ${inside(name)} has ${shown} in column "${column}"; cells are texts, numbers, true or false.`,
      );
    }),
  );
}

function exactly(value: bigint, what: string): number {
  const number = Number(value);
  if (BigInt(number) !== value) throw inexact(what, BigInt(number));
  return number;
}
