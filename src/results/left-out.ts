import type {Cell, Rows} from '../artifact/kinds.ts';
import {isJsonObject, type Json} from '../base/json.ts';
import type {Plot} from '../graph/graph.ts';

/** Columns of a plot's tables in which rows have nothing that can be drawn, a sentence each. Vega has no place for infinity: a line with one is gone whole. */
export function leftOut(plot: Plot, tables: ReadonlyMap<string, Rows>): readonly string[] {
  const texts = textsOf(plot.specification);
  return [...tables].flatMap(([table, rows]) =>
    [...infiniteColumns(rows)].flatMap(([column, count]) =>
      texts.some((text) => text.includes(column))
        ? [`${table} has an infinite "${column}" in ${count} of ${rows.length} rows, which the plot takes for missing.`]
        : [],
    ),
  );
}

function infiniteColumns(rows: Rows): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows)
    for (const [column, cell] of Object.entries(row))
      if (isInfinite(cell)) counts.set(column, (counts.get(column) ?? 0) + 1);
  return counts;
}

const isInfinite = (cell: Cell): boolean => typeof cell === 'number' && !Number.isFinite(cell);

/** Every text of a specification, without the backslashes by which it names a column with a dot. */
function textsOf(json: Json): readonly string[] {
  if (typeof json === 'string') return [json.replaceAll('\\', '')];
  if (typeof json !== 'object' || json === null) return [];
  return (isJsonObject(json) ? Object.values(json) : json).flatMap(textsOf);
}
