import type {Cell, Rows} from '../artifact/kinds.ts';
import {own} from '../base/own.ts';
import {textTable} from './text-table.ts';

export type RowFormat = 'table' | 'csv' | 'json';

/** Rows as text; `csv` and `json` carry every digit, `table` is for reading. */
export function formatRows(rows: Rows, format: RowFormat, columns?: number): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  switch (format) {
    case 'table':
      return rows.length === 0 ? '(no rows)' : textTable(names, rows, columns);
    case 'csv':
      return [
        names.map(csvCell).join(','),
        ...rows.map((row) => names.map((name) => csvCell(own(row, name))).join(',')),
      ].join('\n');
    case 'json':
      return JSON.stringify(rows, null, 2);
    default:
      return format satisfies never;
  }
}

/** RFC 4180: a cell with a comma, quote or line break is quoted, its quotes doubled. */
function csvCell(cell: Cell | undefined): string {
  const text = cell === undefined ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
