import type {Cell, Rows} from './kinds.ts';

const MOST_ROWS = 64;
const MOST_CHARACTERS = 4096;

/** Numbers of which JSON would make others. */
const NUMBERS = {Infinity: Number.POSITIVE_INFINITY, '-Infinity': Number.NEGATIVE_INFINITY, '-0': -0} as const;
type OddNumber = keyof typeof NUMBERS;

/** A small table as a record holds it: the same after a trip through JSON. */
export type InlineRows = readonly Readonly<Record<string, Cell | {readonly number: OddNumber}>>[];

/** The rows when they may live in a record: few and small; else nothing. */
export function inlineRows(rows: Rows): InlineRows | undefined {
  if (rows.length > MOST_ROWS || rows.some((row) => Object.hasOwn(row, '__proto__'))) return undefined;
  const inline = inlineForm(rows);
  return JSON.stringify(inline).length <= MOST_CHARACTERS ? inline : undefined;
}

/** A table as a record would hold it. */
export const inlineForm = (rows: Rows): InlineRows =>
  rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, inlineCell(cell)] as const)));

/** The table that a record holds. */
export const rowsInline = (inline: InlineRows): Rows =>
  // of ten thousand records hardly one has such a number
  isPlain(inline)
    ? inline
    : inline.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, cell]) => [name, typeof cell === 'object' ? NUMBERS[cell.number] : cell]),
        ),
      );

const isPlain = (inline: InlineRows): inline is Rows =>
  inline.every((row) => Object.values(row).every((cell) => typeof cell !== 'object'));

const inlineCell = (cell: Cell): Cell | {readonly number: OddNumber} => {
  const odd = typeof cell === 'number' ? oddNumber(cell) : undefined;
  return odd === undefined ? cell : {number: odd};
};

function oddNumber(value: number): OddNumber | undefined {
  if (Object.is(value, -0)) return '-0';
  if (value === Number.POSITIVE_INFINITY) return 'Infinity';
  return value === Number.NEGATIVE_INFINITY ? '-Infinity' : undefined;
}

export const isOddNumber = (text: unknown): text is OddNumber =>
  typeof text === 'string' && Object.hasOwn(NUMBERS, text);
