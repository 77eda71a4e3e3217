import {INFINITE} from '../artifact/infinite.ts';
import type {Cell, Row, Rows} from '../artifact/kinds.ts';
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
      return rows.length === 0 ? '[]' : `[\n${rows.map(jsonRow).join(',\n')}\n]`;
    default:
      return format satisfies never;
  }
}

/** RFC 4180: a cell with a comma, quote or line break is quoted, its quotes doubled. */
function csvCell(cell: Cell | undefined): string {
  const text = cell === undefined ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** As `JSON.stringify` writes it, which makes nothing of infinity. */
function jsonRow(row: Row): string {
  const cells = Object.entries(row).map(([name, cell]) => `    ${JSON.stringify(name)}: ${jsonCell(cell)}`);
  return cells.length === 0 ? '  {}' : `  {\n${cells.join(',\n')}\n  }`;
}

function jsonCell(cell: Cell): string {
  if (cell === Number.POSITIVE_INFINITY) return INFINITE;
  return cell === Number.NEGATIVE_INFINITY ? `-${INFINITE}` : JSON.stringify(cell);
}
