import type {Place, Tree} from '../spec/tree.ts';
import {placeWithin} from '../spec/written-place.ts';

/** A column as a plot names it, with Vega-Lite's escapes. */
export interface PlottedField {
  readonly text: string;
  readonly at: Place;
}

/** Keys whose text names columns, or lists of them. */
const NAMES: ReadonlySet<string> = new Set(['field', 'groupby', 'lookup', 'fold']);
/** Keys whose text is an expression over `datum`. */
const EXPRESSIONS: ReadonlySet<string> = new Set(['calculate', 'filter', 'test', 'expr', 'and', 'or', 'not']);
/** In these `datum` is a tick or a label, and the source of a lookup is another table. */
const APART: ReadonlySet<string> = new Set(['axis', 'legend', 'header', 'from', 'as']);
/** Transforms that add no column but those that they name. */
const PLAIN: ReadonlySet<string> = new Set(['filter', 'impute', 'sample', 'extent']);
const DATUM = /\bdatum(?:\.([A-Za-z_$][\w$]*)|\[\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*\])/g;

/** A text that Vega-Lite reads as an expression. */
export interface PlottedExpression {
  readonly text: string;
  readonly at: Place;
  /** Params stand in it, so that the file has another text. */
  readonly isComputed: boolean;
}

/** A text of a plot, and the key that it stands under, alone or in lists. */
interface KeyedText extends PlottedExpression {
  readonly key: string;
}

const NONE: ReadonlySet<string> = new Set();

/** Every text of part of a plot, but of those below keys that are passed over. */
function textsIn(tree: Tree, key = '', passed = NONE): readonly KeyedText[] {
  switch (tree.kind) {
    case 'pending':
      return [];
    case 'list':
      return tree.items.flatMap((item) => textsIn(item, key, passed));
    case 'map':
      return [...tree.entries.values()].flatMap(({name, value}) =>
        passed.has(name) ? [] : textsIn(value, name, passed),
      );
    case 'scalar': {
      const {value: text, at, computed: isComputed = false} = tree;
      return typeof text === 'string' ? [{key, text, at, isComputed}] : [];
    }
  }
}

/** The columns that part of a view names: `encoding`, `facet` or `transform`. */
export const fieldsIn = (tree: Tree, under?: string): readonly PlottedField[] =>
  textsIn(tree, under, APART).flatMap(({key, text, at, isComputed}) => {
    if (text === '*') return [];
    if (NAMES.has(key)) return [{text, at}];
    return EXPRESSIONS.has(key) ? fieldsOfExpression(text, at, isComputed) : [];
  });

/** Every expression of a plot. */
export const expressionsIn = (tree: Tree): readonly PlottedExpression[] =>
  textsIn(tree).filter(({key}) => EXPRESSIONS.has(key));

/** The columns that `repeat` goes through: a list, or lists for rows, columns and layers. */
export const fieldsRepeated = (tree: Tree): readonly PlottedField[] =>
  tree.kind === 'map'
    ? [...tree.entries.values()].flatMap(({value}) => fieldsIn(value, 'field'))
    : fieldsIn(tree, 'field');

const fieldsOfExpression = (expression: string, at: Place, isComputed: boolean): readonly PlottedField[] =>
  [...expression.matchAll(DATUM)].map(({0: whole, 1: plain, 2: single, 3: double, index}) => ({
    text: (plain ?? single ?? double ?? '').replace(/[.[\]\\]/g, '\\$&'),
    at: isComputed ? besideParams(whole, at) : placeWithin(at, expression, {start: index, end: index + whole.length}),
  }));

/** Where a column stands in text with `${…}` in it; the whole text for one that a param names. */
function besideParams(column: string, at: Place): Place {
  const written = at.source.text.slice(at.span.start, at.span.end);
  const same = [...written.matchAll(DATUM)].find(([whole]) => whole === column);
  const start = at.span.start + (same?.index ?? 0);
  return same ? {source: at.source, span: {start, end: start + column.length}} : at;
}

/** The column that a field of Vega-Lite reads: a dot or bracket without a backslash leads into a value. */
export function columnMeant(text: string): {readonly name: string; readonly isNested: boolean} {
  const [first = text, ...rest] = text.split(/(?<!\\)[.[]/);
  return {name: first.replace(/\\(.)/g, '$1'), isNested: rest.length > 0};
}

/** The columns after a view's transforms; undefined when one of them makes columns that it does not name. */
export function transformedColumns(
  names: readonly string[],
  transforms: readonly Tree[],
): readonly string[] | undefined {
  const made: string[] = [];
  for (const transform of transforms.flatMap((list) => (list.kind === 'list' ? list.items : []))) {
    const added = namesMade(transform);
    const isPlain = transform.kind === 'map' && [...PLAIN].some((name) => transform.entries.has(name));
    if (added.length === 0 && !isPlain) return undefined;
    made.push(...added);
  }
  return [...names, ...made];
}

/** Every text under an `as`. */
const namesMade = (tree: Tree): readonly string[] =>
  textsIn(tree).flatMap(({key, text}) => (key === 'as' ? [text] : []));
