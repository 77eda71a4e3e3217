import type {SourceText, Span} from '../base/diagnostic.ts';
import type {Json} from '../base/json.ts';
import type {TextTemplate} from './template.ts';

export interface Place {
  readonly source: SourceText;
  readonly span: Span;
}

export interface Entry {
  readonly name: string;
  readonly keyAt: Place;
  readonly value: Tree;
}

/** A value of a pipeline file that knows where each part of it was written. */
export type Tree =
  | {
      readonly kind: 'scalar';
      readonly value: null | boolean | number | string;
      readonly at: Place;
      /** It came out of `${…}` or `$${`: what looks like an expression in it is text. */
      readonly computed?: true;
    }
  | {readonly kind: 'list'; readonly items: readonly Tree[]; readonly at: Place}
  | {readonly kind: 'map'; readonly entries: ReadonlyMap<string, Entry>; readonly at: Place}
  /** Text with `${…}` that waits for an instance's axes. */
  | {readonly kind: 'pending'; readonly template: TextTemplate; readonly at: Place};

export type MapTree = Extract<Tree, {kind: 'map'}>;
export type ListTree = Extract<Tree, {kind: 'list'}>;

/** How the kinds of a value are called in messages. */
export function describeTree(tree: Tree): string {
  switch (tree.kind) {
    case 'list':
      return 'a list';
    case 'map':
      return 'a map';
    case 'pending':
      return 'an expression';
    case 'scalar':
      if (tree.value === null) return 'nothing';
      return typeof tree.value === 'string' ? 'text' : `the ${typeof tree.value} ${tree.value}`;
  }
}

/** The value at a path inside a tree, or the innermost that exists on the way to it. */
export function innermost(tree: Tree, path: readonly PropertyKey[]): Tree {
  let here = tree;
  for (const step of path) {
    const next =
      here.kind === 'map'
        ? here.entries.get(String(step))?.value
        : here.kind === 'list' && typeof step === 'number'
          ? here.items[step]
          : undefined;
    if (next === undefined) return here;
    here = next;
  }
  return here;
}

/** What an expression gave, as a tree whose every part was written at its place. */
export function treeOfJson(value: Json, at: Place): Tree {
  if (value === null || typeof value !== 'object') return {kind: 'scalar', value, at, computed: true};
  if (Array.isArray(value)) return {kind: 'list', items: value.map((item) => treeOfJson(item, at)), at};
  const entries = new Map<string, Entry>();
  for (const [name, item] of Object.entries(value)) entries.set(name, {name, keyAt: at, value: treeOfJson(item, at)});
  return {kind: 'map', entries, at};
}

/** The tree as JSON; `pending` gives the value of a template. */
export function jsonOfTree(tree: Tree, pending: (template: TextTemplate, at: Place) => Json): Json {
  switch (tree.kind) {
    case 'scalar':
      return tree.value;
    case 'list':
      return tree.items.map((item) => jsonOfTree(item, pending));
    case 'map': {
      const object: Record<string, Json> = {};
      for (const {name, value} of tree.entries.values()) object[name] = jsonOfTree(value, pending);
      return object;
    }
    case 'pending':
      return pending(tree.template, tree.at);
  }
}

/** What stands in a tree and holds nothing more. */
function* leavesOf(tree: Tree): Generator<Exclude<Tree, {kind: 'list' | 'map'}>> {
  switch (tree.kind) {
    case 'scalar':
    case 'pending':
      yield tree;
      return;
    case 'list':
      for (const item of tree.items) yield* leavesOf(item);
      return;
    case 'map':
      for (const {value} of tree.entries.values()) yield* leavesOf(value);
      return;
  }
}

/** The templates in a tree, wherever they stand. */
export function* pendingIn(tree: Tree): Generator<{readonly template: TextTemplate; readonly at: Place}> {
  for (const leaf of leavesOf(tree)) if (leaf.kind === 'pending') yield leaf;
}

/** The texts in a tree, wherever they stand. */
export function* textsIn(tree: Tree): Generator<{readonly text: string; readonly at: Place}> {
  for (const leaf of leavesOf(tree))
    if (leaf.kind === 'scalar' && typeof leaf.value === 'string') yield {text: leaf.value, at: leaf.at};
}

/** Numbers and truth values as the text that stands in the file, `2.10` and not 2.1; those that were computed as JSON has them. */
export function asWritten(tree: Tree): Tree {
  switch (tree.kind) {
    case 'pending':
      return tree;
    case 'list':
      return {...tree, items: tree.items.map(asWritten)};
    case 'map': {
      const entries = [...tree.entries].map(
        ([name, entry]) => [name, {...entry, value: asWritten(entry.value)}] as const,
      );
      return {...tree, entries: new Map(entries)};
    }
    case 'scalar': {
      const {value, at} = tree;
      if (value === null || typeof value === 'string') return tree;
      const text = at.source.text.slice(at.span.start, at.span.end);
      return {...tree, value: isWritten(text, value) ? text : String(value)};
    }
  }
}

/** A value that an expression gave has the place of the expression. */
const isWritten = (text: string, value: number | boolean): boolean =>
  typeof value === 'boolean' ? text.toLowerCase() === String(value) : /^[-+.0-9]/.test(text) && Number(text) === value;
