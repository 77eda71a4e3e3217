import type {Faults} from '../spec/faults.ts';
import {reportShadow} from '../spec/read-sweep.ts';
import type {AxisSpec, NodeSpec, SweepRow, SweepSpec} from '../spec/spec.ts';
import {settableNames} from '../spec/stage-parameters.ts';
import {jsonOfTree} from '../spec/tree.ts';
import type {Stage} from '../stage/define-stage.ts';
import {cellsText} from './overridden-rows.ts';

type Groups = SweepSpec['groups'];

export interface OwnAxes {
  readonly groups: Groups;
  /** What they are joined as: a list of points may say at which points of the inputs they are. */
  readonly joined: Groups;
  /** Rows of `include` are all the points that there are. */
  readonly isList: boolean;
}

/**
 * A node's own axes. Where rows of `include` are all that a sweep says, the names that all of them have are the axes, and each point
 * is there once: later rows set parameters of it. Rows that say something of the axes of the inputs set parameters there, so only
 * what is no parameter is an axis then. Undefined when there are to be rows and none is there.
 */
export function ownAxes(
  {name, sweep, params}: NodeSpec,
  stage: Stage,
  inherited: readonly string[],
  faults: Faults,
): OwnAxes | undefined {
  const {groups, include, emptyAt} = sweep;
  // beside swept inputs, rows that set something at their points may be none
  if (emptyAt && groups.length === 0 && inherited.length === 0) {
    const message = `The sweep of "${name}" has no points: "include" is empty.`;
    faults.add('empty-sweep', emptyAt, message, 'Give it at least one row.');
    return undefined;
  }
  const [first, ...others] = include;
  const common = [...(first?.cells.keys() ?? [])].filter((axis) => others.every(({cells}) => cells.has(axis)));
  const isInherited = (axis: string): boolean => inherited.includes(axis);
  const settable = include.some(({cells}) => inherited.some((axis) => cells.has(axis)))
    ? settableNames(stage)
    : new Set<string>();
  const own = common.filter((axis) => !isInherited(axis) && !settable.has(axis));
  if (!first || groups.length > 0 || own.length === 0) return {groups, joined: groups, isList: false};
  const told = [...own, ...inherited.filter((axis) => include.some(({cells}) => cells.has(axis)))];
  const seen = new Set<string>();
  for (const row of include) {
    const text = rowText(row, told);
    if (seen.has(text) && [...row.cells.keys()].every((cell) => told.includes(cell))) {
      const message = `The rows of "include" of "${name}" give the point {${text}} twice.`;
      faults.add('duplicate-value', row.at, message, 'Remove one, or have it set a parameter of the point.');
    }
    seen.add(text);
  }
  const names = [...own, ...common.filter(isInherited)];
  const points = new Map<string, SweepRow>();
  for (const row of include) {
    const text = rowText(row, names);
    if (!points.has(text)) points.set(text, row);
  }
  const axes = names.map((axis) => axisOf(axis, first, [...points.values()]));
  const mine = axes.filter((axis) => own.includes(axis.name));
  for (const axis of mine) if (params.has(axis.name)) reportShadow(axis, faults);
  return {groups: [mine], joined: [axes], isList: true};
}

const rowText = ({cells}: SweepRow, names: readonly string[]): string =>
  cellsText(names.flatMap((axis) => cells.get(axis) ?? []));

const axisOf = (name: string, first: SweepRow, points: readonly SweepRow[]): AxisSpec => ({
  name,
  keyAt: first.cells.get(name)?.keyAt ?? first.at,
  values: points
    .flatMap(({cells}) => cells.get(name) ?? [])
    .map(({value}) => ({value: jsonOfTree(value, () => null), at: value.at})),
});
