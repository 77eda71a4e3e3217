import {canonicalJson} from '../base/canonical-json.ts';
import {isVariableName, VARIABLE_HINT} from './cel.ts';
import type {Faults} from './faults.ts';
import type {Resolver} from './resolve.ts';
import {asList, asMap, fields} from './shape.ts';
import type {AxisSpec, SweepRow, SweepSpec} from './spec.ts';
import {type AxisValue, axisValues} from './sweep.ts';
import {type Entry, type ListTree, type MapTree, pendingIn, type Tree} from './tree.ts';

const LONG_FORM = ['axes', 'zip', 'include', 'exclude'] as const;
const AXES_HINT = 'Write {AXIS: [VALUES], …}.';
const ROWS_HINT = 'Write a list of points: [{AXIS: VALUE, …}, …].';

export const NO_SWEEP: SweepSpec = {groups: [], include: [], exclude: [], emptyAt: undefined, incomplete: false};

/**
 * `sweep:` of a node, short form or long; params are in place, and the axes of its inputs are not known yet.
 *
 * @param cell what a row of `include` gives under a name, before params are in place.
 */
export function readSweep(
  tree: Tree,
  node: string,
  cell: (entry: Entry) => Tree,
  resolver: Resolver,
  faults: Faults,
): SweepSpec {
  // A param may give a part whole; otherwise the parts of it are resolved one by one, so that one fault spoils one part.
  const whole = (part: Tree | undefined): Tree | undefined => (part?.kind === 'scalar' ? resolver.resolve(part) : part);
  const map = asMap(whole(tree), `"sweep" of "${node}"`, AXES_HINT, faults);
  if (!map) return {...NO_SWEEP, incomplete: true};
  const taken = new Set<string>();
  let incomplete = false;
  const group = (entries: Iterable<Entry>, zipped: boolean): readonly AxisSpec[] =>
    [...entries].flatMap((entry) => {
      const axis = readAxis(entry, zipped, taken, resolver, faults);
      incomplete ||= axis === undefined;
      return axis ?? [];
    });
  if (![...map.entries.keys()].some((name) => LONG_FORM.some((key) => key === name))) {
    const groups = group(map.entries.values(), false).map((axis) => [axis]);
    return {...NO_SWEEP, groups, incomplete};
  }
  const parts = fields(map, LONG_FORM, `The long form of "sweep" of "${node}"`, faults);
  const axes = asMap(whole(parts.axes?.value), `"axes" of the sweep of "${node}"`, AXES_HINT, faults);
  const multiplied = group(axes?.entries.values() ?? [], false).map((axis) => [axis]);
  const zips = zipMaps(whole(parts.zip?.value)).flatMap((zip) => {
    const together = asMap(whole(zip), `"zip" of the sweep of "${node}"`, `${AXES_HINT} Its axes go together.`, faults);
    incomplete ||= together === undefined;
    return together ? [group(together.entries.values(), true)] : [];
  });
  for (const zip of zips) checkZip(zip, faults);
  const listOf = (entry: Entry | undefined): ListTree | undefined =>
    asList(whole(entry?.value), `"${entry?.name}" of the sweep of "${node}"`, ROWS_HINT, faults);
  const rows = (list: ListTree | undefined, read: (cell: Entry) => Tree): readonly SweepRow[] =>
    list?.items.flatMap((row) => readRow(row, read, resolver, faults) ?? []) ?? [];
  const included = listOf(parts.include);
  return {
    groups: [...multiplied, ...zips],
    include: rows(included, cell),
    exclude: rows(listOf(parts.exclude), ({value}) => value),
    emptyAt: included?.items.length === 0 ? included.at : undefined,
    incomplete,
  };
}

/** One group may be written as it is, several in a list. */
const zipMaps = (zip: Tree | undefined): readonly Tree[] =>
  zip === undefined ? [] : zip.kind === 'list' ? zip.items : [zip];

/** Undefined when it cannot be an axis at all. */
function readAxis(
  {name, keyAt, value}: Entry,
  zipped: boolean,
  taken: Set<string>,
  resolver: Resolver,
  faults: Faults,
): AxisSpec | undefined {
  if (!isVariableName(name)) {
    faults.add('bad-name', keyAt, `"${name}" cannot be the name of an axis.`, VARIABLE_HINT);
    return undefined;
  }
  if (taken.has(name)) {
    faults.add('duplicate-key', keyAt, `The axis "${name}" is given twice.`, 'Keep one of them.');
    return undefined;
  }
  taken.add(name);
  if (resolver.has(name)) {
    reportShadow({name, keyAt}, faults);
    return undefined;
  }
  const resolved = resolver.resolve(value);
  let waits = false;
  for (const {template, at} of resolved ? pendingIn(resolved) : []) {
    resolver.reportPending(template, at);
    waits = true;
  }
  return {name, keyAt, values: resolved && !waits ? axisValues(name, resolved, zipped, faults) : undefined};
}

export function reportShadow(
  {name, keyAt}: Pick<AxisSpec, 'name' | 'keyAt'>,
  faults: Faults,
  hint = 'Rename the param.',
): void {
  const message = `The axis "${name}" has the name of a param, so "\${${name}}" would have two meanings.`;
  faults.add('axis-shadows-param', keyAt, message, hint);
}

/** Zipped axes have equally many values, and give no point twice. */
function checkZip(zip: readonly AxisSpec[], faults: Faults): void {
  const [first, ...others] = zip;
  if (!first?.values || others.some(({values}) => !values)) return;
  const {name, values} = first;
  const uneven = others.find((axis) => axis.values?.length !== values.length);
  if (uneven) {
    const message = `"${uneven.name}" has ${count(uneven.values)}, but "${name}", which it is zipped with, has ${count(values)}.`;
    faults.add('zip-length', uneven.keyAt, message, 'Give each axis of a zip as many values.');
    return;
  }
  const seen = new Set<string>();
  for (const [index, {at}] of values.entries()) {
    const point = zip.map((axis) => canonicalJson(axis.values?.[index]?.value ?? null)).join(', ');
    if (seen.has(point)) faults.add('duplicate-value', at, `The zip gives the point ${point} twice.`, 'Remove one.');
    seen.add(point);
  }
}

const count = (values: readonly AxisValue[] | undefined): string =>
  values?.length === 1 ? '1 value' : `${values?.length ?? 0} values`;

function readRow(tree: Tree, read: (cell: Entry) => Tree, resolver: Resolver, faults: Faults): SweepRow | undefined {
  const written = tree.kind === 'map' ? withValues(tree, read) : tree;
  const map = asMap(resolver.resolve(written), 'A row of a sweep', 'Write {AXIS: VALUE, …}.', faults);
  if (!map) return undefined;
  if (map.entries.size > 0) {
    return {at: map.at, cells: map.entries, written: written.kind === 'map' ? written.entries : map.entries};
  }
  faults.add('wrong-type', map.at, 'A row of a sweep is empty.', 'Write {AXIS: VALUE, …}.');
  return undefined;
}

const withValues = (map: MapTree, read: (cell: Entry) => Tree): MapTree => ({
  ...map,
  entries: new Map([...map.entries].map(([name, entry]) => [name, {...entry, value: read(entry)}])),
});
