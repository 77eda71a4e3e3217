import {suggestion} from '../base/nearest.ts';
import type {Faults} from './faults.ts';
import {describeTree, type Entry, type ListTree, type MapTree, type Place, type Tree} from './tree.ts';

/** The map that `tree` should be; otherwise undefined and a fault. Nothing at all counts as an empty map. */
export function asMap(tree: Tree | undefined, what: string, hint: string, faults: Faults): MapTree | undefined {
  if (tree === undefined || tree.kind === 'map') return tree;
  if (tree.kind === 'scalar' && tree.value === null) return {kind: 'map', entries: new Map(), at: tree.at};
  faults.add('wrong-type', tree.at, `${what} must be a map, not ${describeTree(tree)}.`, hint);
  return undefined;
}

export function asList(tree: Tree | undefined, what: string, hint: string, faults: Faults): ListTree | undefined {
  if (tree === undefined || tree.kind === 'list') return tree;
  if (tree.kind === 'scalar' && tree.value === null) return {kind: 'list', items: [], at: tree.at};
  faults.add('wrong-type', tree.at, `${what} must be a list, not ${describeTree(tree)}.`, hint);
  return undefined;
}

export function asText(
  tree: Tree | undefined,
  what: string,
  hint: string,
  faults: Faults,
): {text: string; at: Place} | undefined {
  if (tree === undefined) return undefined;
  if (tree.kind === 'scalar' && typeof tree.value === 'string') return {text: tree.value, at: tree.at};
  faults.add('wrong-type', tree.at, `${what} must be text, not ${describeTree(tree)}.`, hint);
  return undefined;
}

/** The entries of a map by their known names; every other key is a fault. */
export function fields<const Names extends readonly string[]>(
  map: MapTree,
  names: Names,
  what: string,
  faults: Faults,
): Readonly<Partial<Record<Names[number], Entry>>> {
  const found: Partial<Record<Names[number], Entry>> = {};
  for (const entry of map.entries.values()) {
    const name: Names[number] | undefined = names.find((known) => known === entry.name);
    if (name !== undefined) found[name] = entry;
    else
      faults.add(
        'unknown-key',
        entry.keyAt,
        `${what} has no key "${entry.name}".`,
        suggestion(entry.name, names, 'keys here'),
      );
  }
  return found;
}
