import type {JsonObject} from '../base/json.ts';

/** The column of a table that is shown in which a point that failed has its error. */
export const FAILED = 'failed';

/**
 * The column that each axis of a node is beside the columns of a table: of its own name unless one of these has it. That is told by names alone, so
 * that claims and plots are checked before any row is there, and stays as it is whatever the rows hold.
 */
export function axisColumns(axes: readonly string[], columns: readonly string[]): ReadonlyMap<string, string> {
  const own = new Set([...columns, FAILED]);
  const taken = new Set([...own, ...axes]);
  return new Map(
    axes.map((axis) => {
      if (!own.has(axis)) return [axis, axis];
      let name = axis;
      while (taken.has(name)) name = `axis_${name}`;
      taken.add(name);
      return [axis, name];
    }),
  );
}

/** Where an instance stands, each axis under the name of its column. */
export const underColumns = (axes: JsonObject, columns: ReadonlyMap<string, string>): JsonObject =>
  Object.fromEntries(Object.entries(axes).map(([axis, value]) => [columns.get(axis) ?? axis, value]));
