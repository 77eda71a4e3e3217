import {canonicalJson} from '../base/canonical-json.ts';
import type {Json, JsonObject} from '../base/json.ts';
import type {AxisValue} from '../spec/sweep.ts';
import type {Entry} from '../spec/tree.ts';
import type {Binding} from './graph.ts';

/** A value of an axis with its canonical text, by which it joins: 1 and "1" are two values, 0.5 and 0.50 one. */
export interface AxisPoint extends AxisValue {
  readonly text: string;
}

export const axisPoint = ({value, at}: AxisValue): AxisPoint => ({value, at, text: canonicalJson(value)});

/** A combination of axis values, and what the inputs are bound to there. */
export interface Row {
  readonly axes: ReadonlyMap<string, AxisPoint>;
  readonly inputs: Readonly<Record<string, Binding>>;
  /** Parameters that rows of `include` set at this point. */
  readonly overrides?: ReadonlyMap<string, Entry>;
}

/** Rows over the same axes. */
export interface Relation {
  readonly axes: readonly string[];
  readonly rows: readonly Row[];
}

export const UNIT: Relation = {axes: [], rows: [{axes: new Map(), inputs: {}}]};

const keyOf = (row: Row, axes: readonly string[]): string =>
  axes.map((axis) => row.axes.get(axis)?.text ?? '').join('\n');

/** How many rows a join has, found without making them. */
export function sizeOfJoin(left: Relation, right: Relation): number {
  const shared = left.axes.filter((axis) => right.axes.includes(axis));
  const counts = new Map<string, number>();
  for (const row of right.rows) counts.set(keyOf(row, shared), (counts.get(keyOf(row, shared)) ?? 0) + 1);
  return left.rows.reduce((sum, row) => sum + (counts.get(keyOf(row, shared)) ?? 0), 0);
}

/** The natural join: shared axes meet by value, others multiply; left rows first, then right rows in their order. */
export function join(left: Relation, right: Relation): Relation {
  if (left === UNIT) return right;
  const shared = left.axes.filter((axis) => right.axes.includes(axis));
  const matches = Map.groupBy(right.rows, (row) => keyOf(row, shared));
  const rows: Row[] = [];
  for (const one of left.rows) {
    for (const other of matches.get(keyOf(one, shared)) ?? []) {
      const axes = other.axes.size === shared.length ? one.axes : new Map([...other.axes, ...one.axes]);
      rows.push({axes, inputs: {...one.inputs, ...other.inputs}});
    }
  }
  return {axes: [...left.axes, ...right.axes.filter((axis) => !shared.includes(axis))], rows};
}

/**
 * One row for each combination of the other axes, its members sorted by the axes that are gathered over, those by name: a grid
 * that is written in another order gives the same members in the same order.
 */
export function gather(source: Relation, input: string, named: readonly string[]): Relation {
  const over = named.toSorted();
  const axes = source.axes.filter((axis) => !over.includes(axis));
  const rows = [...Map.groupBy(source.rows, (row) => keyOf(row, axes)).values()].map((members): Row => {
    const sorted = members.toSorted((one, other) => compareRows(one, other, over));
    const [first] = sorted;
    return {
      axes: new Map([...(first?.axes ?? [])].filter(([axis]) => !over.includes(axis))),
      inputs: {
        [input]: {
          many: true,
          over,
          members: sorted.flatMap((row) => {
            const binding = row.inputs[input];
            if (binding === undefined || binding.many) return [];
            return [{axes: axesJson(row.axes, over), from: binding.from, artifact: binding.artifact}];
          }),
        },
      },
    };
  });
  return {axes, rows};
}

export function axesJson(axes: ReadonlyMap<string, AxisPoint>, order: readonly string[]): JsonObject {
  const object: Record<string, Json> = {};
  for (const axis of order) object[axis] = axes.get(axis)?.value ?? null;
  return object;
}

function compareRows(one: Row, other: Row, over: readonly string[]): number {
  for (const axis of over) {
    const order = comparePoints(one.axes.get(axis), other.axes.get(axis));
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers by size and before everything else, which goes by canonical JSON. */
function comparePoints(one: AxisPoint | undefined, other: AxisPoint | undefined): number {
  if (typeof one?.value === 'number' && typeof other?.value === 'number') return one.value - other.value;
  if (typeof one?.value === 'number') return -1;
  if (typeof other?.value === 'number') return 1;
  const [left = '', right = ''] = [one?.text, other?.text];
  return left < right ? -1 : left > right ? 1 : 0;
}
