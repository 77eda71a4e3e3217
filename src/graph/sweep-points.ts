import {suggestion} from '../base/nearest.ts';
import type {Faults} from '../spec/faults.ts';
import type {AxisSpec, SweepRow, SweepSpec} from '../spec/spec.ts';
import {settableNames} from '../spec/stage-parameters.ts';
import {type Entry, jsonOfTree, type Place} from '../spec/tree.ts';
import {WIRED_PARAMETERS} from '../stage/command-parameters.ts';
import type {Stage} from '../stage/define-stage.ts';
import {refuseOverridden, type SplitRow, shownRow} from './overridden-rows.ts';
import {PointIndex} from './point-index.ts';
import {type AxisPoint, axisPoint, type Relation, type Row} from './relation.ts';

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
  /** Its rows of `include` are all the points that there are. */
  readonly isList: boolean;
}

/**
 * The points that `exclude` leaves, and then what each row of `include` does: it sets parameters of the points that it equals; if
 * there are none it is a point of its own. `inputs` are the points of the node without its own axes.
 */
export function applyRows(node: SweptNode, inputs: Relation, joined: Relation, faults: Faults): Relation | undefined {
  const {sweep, groups, stage, isList} = node;
  if (sweep.include.length + sweep.exclude.length === 0) return joined;
  const before = faults.count;
  const all = new PointIndex(joined.rows);
  const excluded = new Set(
    sweep.exclude.flatMap((row) => all.agreeing(splitRow(row, joined.axes, stage, false, faults).axes)),
  );
  const listed = isList
    ? new Set(sweep.include.flatMap((row) => all.agreeing(splitRow(row, joined.axes, stage, true, faults).axes)))
    : undefined;
  const points = new PointIndex(joined.rows.filter((_, place) => !excluded.has(place) && (listed?.has(place) ?? true)));
  const followed = new PointIndex(inputs.rows);
  const own = groups.flat().map(({name}) => name);
  const sound: SplitRow[] = [];
  for (const include of sweep.include) {
    const found = faults.count;
    const {axes, overrides} = splitRow(include, joined.axes, stage, true, faults);
    if (faults.count > found) continue;
    sound.push({row: include, axes, overrides});
    const there = points.agreeing(axes);
    for (const place of there) points.replace(place, (row) => withOverrides(row, overrides));
    if (there.length > 0) continue;
    const isComplete = own.length > 0 && own.every((axis) => axes.has(axis));
    const added = isComplete ? newPoints(axes, inputs.axes, followed) : [];
    if (added.length === 0) reportNoPoint(include, node, own, isComplete, faults);
    for (const row of added) points.add(withOverrides(row, overrides));
  }
  refuseOverridden(sound, faults);
  const {rows} = points;
  if (faults.count > before) return undefined;
  if (rows.length === 0) {
    faults.add('empty-sweep', node.at, `The sweep of "${node.name}" excludes every point.`, 'Exclude fewer.');
    return undefined;
  }
  return {axes: joined.axes, rows};
}

const withOverrides = (row: Row, overrides: ReadonlyMap<string, Entry>): Row =>
  overrides.size === 0 ? row : {...row, overrides: new Map([...(row.overrides ?? []), ...overrides])};

function newPoints(axes: Row['axes'], inherited: readonly string[], followed: PointIndex): readonly Row[] {
  const shared = new Map([...axes].filter(([axis]) => inherited.includes(axis)));
  return followed.agreeing(shared).flatMap((place) => {
    const row = followed.rows[place];
    return row ? [{...row, axes: new Map([...axes, ...row.axes])}] : [];
  });
}

/** The cells of a row that are axes, and those that are parameters. */
function splitRow(
  {cells}: SweepRow,
  axisNames: readonly string[],
  stage: Stage,
  mayOverride: boolean,
  faults: Faults,
): {readonly axes: Row['axes']; readonly overrides: ReadonlyMap<string, Entry>} {
  const parameters = mayOverride ? settableNames(stage) : new Set<string>();
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
    else if (mayOverride && stage.origin.from === 'command' && WIRED_PARAMETERS.has(name)) {
      const message = `"${name}" of a node that runs a program is the same at every point.`;
      faults.add('unknown-axis', keyAt, message, 'A row may give "run", "files" and "env".');
    } else {
      const what = mayOverride ? `neither an axis here nor a parameter of "${stage.name}"` : 'no axis here';
      const hint = suggestion(name, [...axisNames, ...parameters], 'names that can stand here');
      faults.add('unknown-axis', keyAt, `"${name}" is ${what}.`, hint);
    }
  }
  return {axes, overrides};
}

function reportNoPoint(
  row: SweepRow,
  {name}: SweptNode,
  own: readonly string[],
  complete: boolean,
  faults: Faults,
): void {
  const absent = own.filter((axis) => !row.cells.has(axis));
  const hint = complete
    ? 'Its inputs have no such point, and a row cannot add one to them.'
    : absent.length > 0
      ? `Correct its values, or give ${absent.map((axis) => `"${axis}"`).join(' and ')} too, to add a point.`
      : 'Correct its values.';
  faults.add('no-such-point', row.at, `"${name}" has no point {${shownRow(row)}}.`, hint);
}
