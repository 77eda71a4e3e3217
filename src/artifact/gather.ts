import {canonicalJson} from '../base/canonical-json.ts';
import type {Json, JsonObject} from '../base/json.ts';
import {ArtifactError} from './artifact-error.ts';
import type {Cell, Row, Rows} from './kinds.ts';

/** One gathered instance: where it stands on the axes, and its table. */
export interface Member {
  readonly axes: JsonObject;
  readonly rows: Rows;
}

/**
 * One table of many: every row with its member's axes as the first columns, sorted by axis value, rows of one member in
 * their own order. An axis value that is no cell (a list, an object, null) is shown as its canonical JSON.
 *
 * @throws ArtifactError when an axis is named like a column of the table.
 */
export function gatherRows(members: readonly Member[]): Row[] {
  return [...members]
    .sort((a, b) => compareAxes(a.axes, b.axes))
    .flatMap(({axes, rows}) => {
      const cells = Object.entries(axes).map(([name, value]) => [name, axisCell(value)] as const);
      return rows.map((row) => {
        const clash = cells.find(([name]) => Object.hasOwn(row, name));
        if (clash)
          throw new ArtifactError(
            `The axis "${clash[0]}" cannot be gathered: the table has a column of that name.`,
            'Rename the axis in the pipeline file.',
          );
        return Object.fromEntries([...cells, ...Object.entries(row)]);
      });
    });
}

/** An axis value as a cell of a table. */
export const axisCell = (value: Json): Cell =>
  typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : canonicalJson(value);

/** Numbers before the rest and by size; the rest by canonical JSON, by code unit. */
function compareAxisValues(a: Json, b: Json): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'number') return -1;
  if (typeof b === 'number') return 1;
  const [left, right] = [canonicalJson(a), canonicalJson(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareAxes(a: JsonObject, b: JsonObject): number {
  for (const [name, value] of Object.entries(a)) {
    const other = b[name];
    const order = other === undefined ? 0 : compareAxisValues(value, other);
    if (order !== 0) return order;
  }
  return 0;
}
