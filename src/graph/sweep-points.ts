import {canonicalJson} from '../base/canonical-json.ts';
import {suggestion} from '../base/nearest.ts';
import type {Faults} from '../spec/faults.ts';
import type {AxisSpec, SweepRow, SweepSpec} from '../spec/spec.ts';
import {parameterNames} from '../spec/stage-parameters.ts';
import {type Entry, jsonOfTree, type Place} from '../spec/tree.ts';
import type {Stage} from '../stage/define-stage.ts';
import {type AxisPoint, axisPoint, join, type Relation, type Row} from './relation.ts';

/** The axes of one group go together; undefined when one of them has a fault. */
export function groupRelation(group: readonly AxisSpec[]): Relation | undefined {
  const [first] = group;
  if (!first?.values || group.some(({values}) => values?.length !== first.values?.length)) return undefined;
  const rows = first.values.map((_, index): Row => {
    const points = group.flatMap(({name, values}): [string, AxisPoint][] => {
      const value = values?.[index];
      return value ? [[name, axisPoint(value)]] : [];
    });
    return {axes: new Map(points), inputs: {}};
  });
  return {axes: group.map(({name}) => name), rows};
}

interface SweptNode {
  readonly name: string;
  readonly at: Place;
  readonly stage: Stage;
  readonly sweep: SweepSpec;
  readonly groups: SweepSpec['groups'];
}

/**
 * The points that `exclude` leaves, and then what each row of `include` does: it sets parameters of the points that it equals; if
 * there are none it is a point of its own. `inputs` are the points of the node without its own axes.
 */
export function applyRows(node: SweptNode, inputs: Relation, joined: Relation, faults: Faults): Relation | undefined {
  const {sweep, groups, stage} = node;
  const before = faults.count;
  const excluded = sweep.exclude.map((row) => splitRow(row, joined.axes, stage, false, faults));
  let rows = joined.rows.filter((row) => !excluded.some(({axes}) => agrees(row, axes)));
  const own = groups.flat().map(({name}) => name);
  for (const include of sweep.include) {
    const found = faults.count;
    const {axes, overrides} = splitRow(include, joined.axes, stage, true, faults);
    if (faults.count > found) continue;
    if (rows.some((row) => agrees(row, axes))) {
      rows = rows.map((row) => (agrees(row, axes) ? withOverrides(row, overrides) : row));
      continue;
    }
    const added = own.length > 0 && own.every((axis) => axes.has(axis)) ? newPoints(axes, own, inputs) : undefined;
    if (added === undefined || added.length === 0) reportNoPoint(include, node, own, added !== undefined, faults);
    else rows = [...rows, ...added.map((row) => withOverrides(row, overrides))];
  }
  if (faults.count > before) return undefined;
  if (rows.length === 0) {
    faults.add('empty-sweep', node.at, `The sweep of "${node.name}" excludes every point.`, 'Exclude fewer.');
    return undefined;
  }
  return {axes: joined.axes, rows};
}

const withOverrides = (row: Row, overrides: ReadonlyMap<string, Entry>): Row =>
  overrides.size === 0 ? row : {...row, overrides: new Map([...(row.overrides ?? []), ...overrides])};

const agrees = (row: Row, axes: Row['axes']): boolean =>
  [...axes].every(([axis, {text}]) => row.axes.get(axis)?.text === text);

function newPoints(axes: Row['axes'], own: readonly string[], inputs: Relation): readonly Row[] {
  const point: Row = {axes: new Map([...axes].filter(([axis]) => own.includes(axis))), inputs: {}};
  return join(inputs, {axes: own, rows: [point]}).rows.filter((row) => agrees(row, axes));
}

/** The cells of a row that are axes, and those that are parameters. */
function splitRow(
  {cells}: SweepRow,
  axisNames: readonly string[],
  stage: Stage,
  mayOverride: boolean,
  faults: Faults,
): {readonly axes: Row['axes']; readonly overrides: ReadonlyMap<string, Entry>} {
  const parameters = mayOverride ? parameterNames(stage) : new Set<string>();
  const axes = new Map<string, AxisPoint>();
  const overrides = new Map<string, Entry>();
  for (const cell of cells.values()) {
    const {name, keyAt, value} = cell;
    if (axisNames.includes(name)) {
      let waits = false;
      const json = jsonOfTree(value, () => {
        waits = true;
        return null;
      });
      if (!waits) axes.set(name, axisPoint({value: json, at: value.at}));
      else faults.add('wrong-type', value.at, `The axis "${name}" needs a value here.`, 'Write the value itself.');
    } else if (parameters.has(name)) overrides.set(name, cell);
    else {
      const what = mayOverride ? `neither an axis here nor a parameter of "${stage.name}"` : 'no axis here';
      const hint = suggestion(name, [...axisNames, ...parameters], 'names that can stand here');
      faults.add('unknown-axis', keyAt, `"${name}" is ${what}.`, hint);
    }
  }
  return {axes, overrides};
}

function reportNoPoint(
  {at, cells}: SweepRow,
  {name}: SweptNode,
  own: readonly string[],
  complete: boolean,
  faults: Faults,
): void {
  const shown = [...cells.values()]
    .filter(({value}) => value.kind === 'scalar')
    .map((cell) => `${cell.name}: ${canonicalJson(jsonOfTree(cell.value, () => null))}`)
    .join(', ');
  const absent = own.filter((axis) => !cells.has(axis));
  const hint = complete
    ? 'Its inputs have no such point, and a row cannot add one to them.'
    : absent.length > 0
      ? `Correct its values, or give ${absent.map((axis) => `"${axis}"`).join(' and ')} too, to add a point.`
      : 'Correct its values.';
  faults.add('no-such-point', at, `"${name}" has no point {${shown}}.`, hint);
}
