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
}

/** The params with the files' values in their places, and then those of `--set`, in the order given. */
export function overrideParams(params: MapTree, overrides: Overrides, faults: Faults): MapTree {
  let result = params;
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
      result = replace(result, [name], value, keyAt, faults) ?? result;
    }
  }
  for (const text of overrides.set ?? []) {
    result = applySet(result, {name: '--set', text}, faults);
  }
  return result;
}

function applySet(params: MapTree, source: SourceText, faults: Faults): MapTree {
  const equals = source.text.indexOf('=');
  const whole: Place = {source, span: {start: 0, end: source.text.length}};
  if (equals <= 0) {
    faults.add(
      'bad-override',
      whole,
      `"${source.text}" sets nothing.`,
      "Write --set name=value, or --set name.part='[0, 1]'.",
    );
    return params;
  }
  const before = faults.count;
  const value = readTree(source, faults, equals + 1);
  if (faults.count > before) return params;
  const nothing: Tree = {kind: 'scalar', value: null, at: whole};
  const path = source.text.slice(0, equals).split('.');
  const at = {source, span: {start: 0, end: equals}};
  return replace(params, path, value ?? nothing, at, faults) ?? params;
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
  faults.add('unknown-param', at, message, `Set "${entry.name}" as a whole.`);
  return undefined;
}
