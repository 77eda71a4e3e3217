import type {SourceText} from '../base/diagnostic.ts';
import {suggestion} from '../base/nearest.ts';
import type {Faults} from './faults.ts';
import {readTree} from './read-tree.ts';
import {decodeText} from './read-yaml.ts';
import {describeTree, type Entry, type MapTree, type Place, type Tree} from './tree.ts';

export interface Overrides {
  /** `a.b=VALUE`, the value in YAML. */
  readonly set?: readonly string[];
  /** Maps of params; each replaces the params it names, whole. */
  readonly paramsFiles?: readonly {readonly path: string; readonly text: string | Uint8Array}[];
  /** What the pipeline that uses this one says of its params, its own values in place. */
  readonly given?: readonly GivenParam[];
}

/** A value for a param, or for a part of one. */
export interface GivenParam {
  readonly path: readonly string[];
  readonly value: Tree;
  readonly at: Place;
  /** Written with dots, as on the command line, from the first name on; else in maps. */
  readonly isDotted: boolean;
}

interface Overridden {
  readonly params: MapTree;
  /** What is said of the params of the files that this one uses, by the names it uses them under. */
  readonly ofUsed: ReadonlyMap<string, readonly GivenParam[]>;
}

/** The params with the files' values in their places, and then those of `--set`, in the order given. */
export function overrideParams(
  params: MapTree,
  overrides: Overrides,
  used: ReadonlySet<string>,
  faults: Faults,
): Overridden {
  let result = params;
  const ofUsed = new Map<string, GivenParam[]>();
  const apply = (given: GivenParam): void => {
    const {path, value, at} = given;
    const [name = '', ...rest] = path;
    if (!used.has(name)) result = replace(result, path, value, at, faults) ?? result;
    else {
      const parts = rest.length > 0 ? [{...given, path: rest}] : partsOf(name, given, faults);
      ofUsed.set(name, [...(ofUsed.get(name) ?? []), ...parts]);
    }
  };
  for (const given of overrides.given ?? []) apply(given);
  for (const {path, text} of overrides.paramsFiles ?? []) {
    const source = decodeText(path, text, faults);
    const tree = source && readTree(source, faults);
    if (!tree) continue;
    if (tree.kind !== 'map') {
      faults.add(
        'wrong-type',
        tree.at,
        `A params file is a map of params, not ${describeTree(tree)}.`,
        'Write "name: value".',
      );
      continue;
    }
    for (const {name, keyAt, value} of tree.entries.values()) {
      apply({path: [name], value, at: keyAt, isDotted: false});
    }
  }
  for (const text of overrides.set ?? []) {
    const given = readSet({name: '--set', text}, faults);
    if (given) apply(given);
  }
  return {params: result, ofUsed};
}

/** The params of a file that is used, as one map. */
function partsOf(name: string, {value, at, isDotted}: GivenParam, faults: Faults): readonly GivenParam[] {
  if (value.kind === 'map')
    return [...value.entries.values()].map((entry) => ({
      path: [entry.name],
      value: entry.value,
      at: entry.keyAt,
      isDotted: false,
    }));
  const message = `"${name}" is a pipeline that is used here, and takes a map of its params, not ${describeTree(value)}.`;
  const form = isDotted ? `${textAt(at)}.PARAM=VALUE` : `${name}: {PARAM: VALUE}`;
  faults.add('bad-override', value.at, message, `Write ${form}.`);
  return [];
}

const textAt = ({source, span}: Place): string => source.text.slice(span.start, span.end);

function readSet(source: SourceText, faults: Faults): GivenParam | undefined {
  const equals = source.text.indexOf('=');
  const whole: Place = {source, span: {start: 0, end: source.text.length}};
  if (equals <= 0) {
    faults.add(
      'bad-override',
      whole,
      `"${source.text}" sets nothing.`,
      "Write --set name=value, or --set name.part='[0, 1]'.",
    );
    return undefined;
  }
  const before = faults.count;
  const value = readTree(source, faults, equals + 1);
  if (faults.count > before) return undefined;
  const nothing: Tree = {kind: 'scalar', value: null, at: whole};
  const path = source.text.slice(0, equals).split('.');
  const at = {source, span: {start: 0, end: equals}};
  return {path, value: value ?? nothing, at, isDotted: true};
}

/** A copy of `map` with another value at a path that exists. */
function replace(map: MapTree, path: readonly string[], value: Tree, at: Place, faults: Faults): MapTree | undefined {
  const [name = '', ...rest] = path;
  const entry = map.entries.get(name);
  if (entry === undefined) {
    faults.add(
      'unknown-param',
      at,
      `There is no param "${name}" to override.`,
      suggestion(name, map.entries.keys(), 'names here'),
    );
    return undefined;
  }
  const inner = rest.length === 0 ? value : replaceInside(entry, rest, value, at, faults);
  if (inner === undefined) return undefined;
  return {...map, entries: new Map(map.entries).set(name, {...entry, value: inner})};
}

function replaceInside(
  entry: Entry,
  path: readonly string[],
  value: Tree,
  at: Place,
  faults: Faults,
): Tree | undefined {
  if (entry.value.kind === 'map') return replace(entry.value, path, value, at, faults);
  const message = `"${entry.name}" is ${describeTree(entry.value)}, so it has no "${path[0]}" to override.`;
  // only what is written with dots reaches into a param
  const whole = textAt(at).split('.').slice(0, -path.length).join('.');
  faults.add('unknown-param', at, message, `Set "${whole}" as a whole.`);
  return undefined;
}
