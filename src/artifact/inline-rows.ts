import type {Rows} from './kinds.ts';

const MOST_ROWS = 64;
const MOST_CHARACTERS = 4096;

/** The rows when they may live in a record: few, small, and the same after a trip through JSON; else nothing. */
export function inlineRows(rows: Rows): Rows | undefined {
  if (rows.length > MOST_ROWS) return undefined;
  const survives = rows.every((row) =>
    Object.entries(row).every(
      ([name, cell]) =>
        name !== '__proto__' && (typeof cell !== 'number' || (Number.isFinite(cell) && !Object.is(cell, -0))),
    ),
  );
  return survives && JSON.stringify(rows).length <= MOST_CHARACTERS ? rows : undefined;
}
