import {canonicalJson} from '../base/canonical-json.ts';
import type {Faults} from '../spec/faults.ts';
import {reportShadow} from '../spec/read-sweep.ts';
import type {AxisSpec, NodeSpec, SweepRow, SweepSpec} from '../spec/spec.ts';
import {jsonOfTree} from '../spec/tree.ts';

type Groups = SweepSpec['groups'];

/**
 * The groups of a node's own axes. Where rows of `include` are all that a sweep says, and say nothing of the axes of the
 * inputs, the names that all of them have are the axes, and each point is there once: later rows set parameters of it.
 */
export function ownGroups({name, sweep, params}: NodeSpec, inherited: readonly string[], faults: Faults): Groups {
  const {groups, include} = sweep;
  const [first, ...others] = include;
  const names = [...(first?.cells.keys() ?? [])].filter((axis) => others.every(({cells}) => cells.has(axis)));
  const isOverriding = include.some(({cells}) => inherited.some((axis) => cells.has(axis)));
  if (!first || groups.length > 0 || names.length === 0 || isOverriding) return groups;
  const seen = new Set<string>();
  const points = include.filter((row) => {
    const text = pointText(row, names);
    const isNew = !seen.has(text);
    seen.add(text);
    if (!isNew && row.cells.size === names.length) {
      const message = `The rows of "include" of "${name}" give the point {${text}} twice.`;
      faults.add('duplicate-value', row.at, message, 'Remove one, or have it set a parameter of the point.');
    }
    return isNew;
  });
  const axes = names.map((axis) => axisOf(axis, first, points));
  for (const axis of axes) if (params.has(axis.name)) reportShadow(axis, faults);
  return [axes];
}

const pointText = ({cells}: SweepRow, names: readonly string[]): string =>
  names
    .map((axis) => {
      const cell = cells.get(axis);
      return `${axis}: ${canonicalJson(cell ? jsonOfTree(cell.value, () => null) : null)}`;
    })
    .join(', ');

const axisOf = (name: string, first: SweepRow, points: readonly SweepRow[]): AxisSpec => ({
  name,
  keyAt: first.cells.get(name)?.keyAt ?? first.at,
  values: points
    .flatMap(({cells}) => cells.get(name) ?? [])
    .map(({value}) => ({value: jsonOfTree(value, () => null), at: value.at})),
});
