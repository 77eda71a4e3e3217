import {canonicalJson} from '../base/canonical-json.ts';
import type {Faults} from '../spec/faults.ts';
import type {SweepRow} from '../spec/spec.ts';
import {type Entry, jsonOfTree} from '../spec/tree.ts';
import {keyOf, type Row} from './relation.ts';

/** A row of `include`, with its cells told apart. */
export interface SplitRow {
  readonly row: SweepRow;
  readonly axes: Row['axes'];
  readonly overrides: ReadonlyMap<string, Entry>;
}

/** What later rows set where they agree with these axes. */
interface Later {
  readonly names: readonly string[];
  readonly at: Map<string, SplitRow[]>;
}

/** Refuses a row of which a single later one sets every parameter anew wherever it holds: whoever wrote it meant a point of its own. */
export function refuseOverridden(rows: readonly SplitRow[], faults: Faults): void {
  const later = new Map<string, Later>();
  for (const one of rows.toReversed()) {
    if (one.overrides.size === 0) continue;
    const over = [...later.values()]
      .filter(({names}) => names.every((name) => one.axes.has(name)))
      .flatMap(({names, at}) => at.get(placeOf(one, names)) ?? [])
      .find(({overrides}) => [...one.overrides.keys()].every((name) => overrides.has(name)));
    if (over) report(one, over, faults);
    else note(one, later);
  }
}

function note(one: SplitRow, later: Map<string, Later>): void {
  const names = [...one.axes.keys()].sort();
  const id = names.join('\n');
  const known = later.get(id) ?? {names, at: new Map<string, SplitRow[]>()};
  later.set(id, known);
  const place = placeOf(one, names);
  known.at.set(place, [...(known.at.get(place) ?? []), one]);
}

const placeOf = ({axes}: SplitRow, names: readonly string[]): string => keyOf({axes, inputs: {}}, names);

function report({row, overrides}: SplitRow, over: SplitRow, faults: Faults): void {
  const set = [...overrides.keys()].map((name) => `"${name}"`).join(' and ');
  const message = `What the row {${shownRow(row)}} sets is lost: {${shownRow(over.row)}} sets ${set} at the same points.`;
  const hint = 'Remove one; for a point of each, give the rows an axis that is no parameter, and use it under "with".';
  faults.add('overridden-row', row.at, message, hint);
}

export const shownRow = ({cells}: SweepRow): string =>
  cellsText([...cells.values()].filter(({value}) => value.kind === 'scalar'));

/** Cells of a row, in a message; equal where they are. */
export const cellsText = (cells: readonly Entry[]): string =>
  cells.map(({name, value}) => `${name}: ${canonicalJson(jsonOfTree(value, () => null))}`).join(', ');
