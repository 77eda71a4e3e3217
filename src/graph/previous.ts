import {suggestion} from '../base/nearest.ts';
import type {Faults} from '../spec/faults.ts';
import type {Named, NodeSpec} from '../spec/spec.ts';
import type {Stage} from '../stage/define-stage.ts';
import type {CheckedNode, Edge} from './check-node.ts';
import type {NodePoints} from './node-axes.ts';

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

/** The points in the order of the axes along which they take from earlier ones; undefined when these are not ordered. */
export function ordered(points: NodePoints, {spec, loops}: CheckedNode, faults: Faults): NodePoints | undefined {
  const before = faults.count;
  for (const {axis} of loops) {
    if (!points.axes.includes(axis.name)) {
      const hint = suggestion(axis.name, points.axes, `axes of "${spec.name}"`);
      faults.add('not-swept', axis.at, `"${spec.name}" has no axis "${axis.name}" to have an earlier point of.`, hint);
      continue;
    }
    const taken = new Set<string>();
    for (const row of points.rows) {
      const point = row.axes.get(axis.name);
      const family = familyOf(points, row, axis.name);
      if (typeof point?.value !== 'number') {
        const message = `The axis "${axis.name}" of "${spec.name}" has no order: ${point?.text} is not a number.`;
        faults.add('not-ordered', point?.at ?? axis.at, message, 'Give it numbers: the smaller is the earlier.');
      } else if (taken.has(`${family}\n${point.text}`)) {
        const message = `Two points of "${spec.name}" are at ${axis.name}=${point.text}, so that neither is the earlier.`;
        faults.add('not-ordered', point.at, message, 'Give each a value of its own.');
      }
      taken.add(`${family}\n${point?.text}`);
    }
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

/** For each row the place of the row before it along an axis; `points` are ordered. */
export function earlierRows(points: NodePoints, axis: string): readonly (number | undefined)[] {
  const last = new Map<string, number>();
  return points.rows.map((row, place) => {
    const family = familyOf(points, row, axis);
    const earlier = last.get(family);
    last.set(family, place);
    return earlier;
  });
}

/** Where a row stands on the other axes, but for those that are zipped with this one and so go along with it. */
function familyOf({axes, groups}: NodePoints, row: NodePoints['rows'][number], axis: string): string {
  const along = groups.find((group) => group.some(({name}) => name === axis)) ?? [];
  const others = axes.filter((name) => name !== axis && !along.some((companion) => companion.name === name));
  return others.map((name) => row.axes.get(name)?.text ?? '').join('\n');
}
