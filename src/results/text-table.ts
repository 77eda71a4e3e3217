import type {Cell, Row} from '../artifact/kinds.ts';
import {own} from '../base/own.ts';
import {padding, textWidth, visible} from '../base/terminal-text.ts';

/** A number for reading: up to six significant digits, whole numbers as they are. */
export function formatCell(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  if (typeof cell !== 'number' || Number.isInteger(cell)) return visible(String(cell)).replaceAll('\n', '\\n');
  const magnitude = Math.abs(cell);
  if (magnitude < 1e-4 || magnitude >= 1e9) return cell.toExponential(3);
  return String(Number(cell.toPrecision(5)));
}

/** Spaces between two columns. */
const GAP = 2;

/**
 * Rows as aligned columns under their names. Where they do not fit `columns` of the terminal, each row becomes a block
 * of `name value` lines: nothing is cut off.
 */
export function textTable(names: readonly string[], rows: readonly Row[], columns = Number.POSITIVE_INFINITY): string {
  const numeric = names.map((name) => rows.every((row) => typeof own(row, name) === 'number'));
  const cells = rows.map((row) => names.map((name) => formatCell(own(row, name))));
  const widths = names.map((name, i) => Math.max(textWidth(name), ...cells.map((row) => textWidth(row[i] ?? ''))));
  const total = widths.reduce((sum, width) => sum + width + GAP, -GAP);
  if (total > columns) return blocks(names, cells);
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => {
        const space = padding(text, widths[i] ?? 0);
        return numeric[i] ? space + text : text + space;
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [line(names), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)].join('\n');
}

/** How many of the first columns fit a terminal; at least `fewest`. */
export function fittingColumns(names: readonly string[], rows: readonly Row[], columns: number, fewest = 3): number {
  const widths = names.map((name) =>
    Math.max(textWidth(name), ...rows.map((row) => textWidth(formatCell(own(row, name))))),
  );
  let total = 0;
  for (const [i, width] of widths.entries()) {
    total += width + GAP;
    if (total - GAP > columns) return Math.max(Math.min(fewest, names.length), i);
  }
  return names.length;
}

function blocks(names: readonly string[], cells: readonly (readonly string[])[]): string {
  const width = Math.max(...names.map(textWidth));
  return cells
    .map((row) => names.map((name, i) => `${name}${padding(name, width)}  ${row[i] ?? ''}`.trimEnd()).join('\n'))
    .join('\n\n');
}
