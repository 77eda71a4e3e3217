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

/** What puts where an instance of a node stands under the names of columns; `axes` are those of any of its instances. */
export function underColumns(axes: JsonObject, columns: readonly string[]): (axes: JsonObject) => JsonObject {
  const names = axisColumns(Object.keys(axes), columns);
  // a table of ten thousand points has seldom one
  if ([...names].every(([axis, name]) => axis === name)) return (own) => own;
  return (own) => Object.fromEntries(Object.entries(own).map(([axis, value]) => [names.get(axis) ?? axis, value]));
}
