import {suggestion} from '../base/nearest.ts';
import type {Faults} from '../spec/faults.ts';
import type {Named, NodeSpec} from '../spec/spec.ts';
import type {Stage} from '../stage/define-stage.ts';
import type {CheckedNode, Edge} from './check-node.ts';
import type {NodePoints} from './node-axes.ts';
import {keyOf} from './relation.ts';

/** Whether an input can come from the node's own earlier point, whatever its axes are. */
export function canLoop(
  node: NodeSpec,
  stage: Stage,
  {input, from, declaration}: Edge,
  axis: Named,
  faults: Faults,
): boolean {
  const before = faults.count;
  if (from.node !== node.name) {
    const hint = `Write from: ${node.name}.ARTIFACT, or leave "previous" out.`;
    faults.add('bad-previous', from.at, `"previous" takes from the node itself, but "${from.node}" is another.`, hint);
  }
  if (declaration.many || !declaration.optional) {
    const why = declaration.many ? 'gathers many artifacts' : 'is not optional, and the first point has no earlier one';
    const hint = 'Leave "previous" out, and take it from another node.';
    faults.add('bad-previous', axis.at, `The input "${input.name}" of "${stage.name}" ${why}.`, hint);
  }
  const [renamed] = input.as;
  if (renamed) {
    const hint = 'Leave "as" out: both points are of one node, with the same axes.';
    faults.add('bad-previous', renamed.axis.at, '"previous" and "as" exclude each other.', hint);
  }
  return faults.count === before;
}

/** Axes whose values go together: zipped, or of points that are listed one by one. */
export interface Together {
  readonly axes: readonly string[];
  readonly by: 'zip' | 'list';
}

/** The points in the order of the axes along which they take from earlier ones; undefined when these are not ordered. */
export function ordered(points: NodePoints, {spec, loops}: CheckedNode, faults: Faults): NodePoints | undefined {
  const before = faults.count;
  for (const {axis} of loops) {
    if (!points.axes.includes(axis.name)) {
      const hint = suggestion(axis.name, points.axes, `axes of "${spec.name}"`);
      faults.add('not-swept', axis.at, `"${spec.name}" has no axis "${axis.name}" to have an earlier point of.`, hint);
      continue;
    }
    const fixed = fixedAxes(points, axis.name);
    const found = faults.count;
    const taken = new Set<string>();
    for (const row of points.rows) {
      const point = row.axes.get(axis.name);
      const family = keyOf(row, fixed);
      if (typeof point?.value !== 'number') {
        const message = `The axis "${axis.name}" of "${spec.name}" has no order: ${point?.text} is not a number.`;
        faults.add('not-ordered', point?.at ?? axis.at, message, 'Give it numbers: the smaller is the earlier.');
      } else if (taken.has(`${family}\n${point.text}`)) {
        const message = `Two points of "${spec.name}" are at ${axis.name}=${point.text}, so that neither is the earlier.`;
        faults.add('not-ordered', point.at, message, 'Give each a value of its own.');
      }
      taken.add(`${family}\n${point?.text}`);
    }
    if (faults.count === found) refuseWithoutEarlier(points, fixed, axis, spec, faults);
  }
  if (faults.count > before) return undefined;
  if (loops.length === 0) return points;
  const numbers = (row: NodePoints['rows'][number]) => loops.map(({axis}) => Number(row.axes.get(axis.name)?.value));
  const rows = points.rows.map((row) => ({row, at: numbers(row)}));
  rows.sort((one, other) => {
    const first = one.at.findIndex((value, index) => value !== other.at[index]);
    return first < 0 ? 0 : (one.at[first] ?? 0) - (other.at[first] ?? 0);
  });
  return {...points, rows: rows.map(({row}) => row)};
}

/** Where no point has an earlier one, though there are several along the axis, "previous" would do nothing. */
function refuseWithoutEarlier(
  {rows}: NodePoints,
  fixed: readonly string[],
  axis: Named,
  {name}: NodeSpec,
  faults: Faults,
): void {
  const isAlone = new Set(rows.map((row) => row.axes.get(axis.name)?.text)).size < 2;
  if (isAlone || new Set(rows.map((row) => keyOf(row, fixed))).size < rows.length) return;
  const others = fixed.filter((other) => new Set(rows.map((row) => row.axes.get(other)?.text)).size > 1);
  const shown = others.map((other) => `"${other}"`).join(' and ');
  const message = `No point of "${name}" has an earlier one along "${axis.name}": no two agree in ${shown}.`;
  const group = [axis.name, ...others].map((other) => `${other}: […]`).join(', ');
  const hint = `An axis that is zipped with "${axis.name}" goes along: zip: {${group}}.`;
  faults.add('not-ordered', axis.at, message, hint);
}

/** For each row the place of the row before it along an axis; `points` are ordered. */
export function earlierRows(points: NodePoints, axis: string): readonly (number | undefined)[] {
  const last = new Map<string, number>();
  const fixed = fixedAxes(points, axis);
  return points.rows.map((row, place) => {
    const family = keyOf(row, fixed);
    const earlier = last.get(family);
    last.set(family, place);
    return earlier;
  });
}

/** The axes that stay as they are along another: not those that are zipped with it, wherever that is, and so go along. */
function fixedAxes({axes, rows, together}: NodePoints, axis: string): readonly string[] {
  const along = new Set(
    together.flatMap((group) => {
      if (!group.axes.includes(axis)) return [];
      return group.by === 'zip' ? group.axes : group.axes.filter((other) => isDecided(rows, axis, other));
    }),
  );
  return axes.filter((name) => name !== axis && !along.has(name));
}

/** Whether an axis has one value at each of another: of points that are listed nothing else says which go along. */
function isDecided(rows: NodePoints['rows'], by: string, axis: string): boolean {
  const values = new Map<string, string | undefined>();
  return rows.every((row) => {
    const at = row.axes.get(by)?.text ?? '';
    const value = row.axes.get(axis)?.text;
    const known = values.has(at) ? values.get(at) : value;
    values.set(at, value);
    return known === value;
  });
}
