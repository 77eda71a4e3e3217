import {gatherRows} from '../../src/artifact/gather.ts';
import type {Cell, Row} from '../../src/artifact/kinds.ts';
import {canonicalJson} from '../../src/base/canonical-json.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {suggestion} from '../../src/base/nearest.ts';
import {type Opened, StageError} from '../../src/stage/define-stage.ts';
import {pointsList, shownAt} from './shown-at.ts';

export interface Choice {
  /** The column to choose by. */
  readonly by: string;
  readonly split: string;
  /** What the rows to compare hold. */
  readonly where: Readonly<Record<string, Cell>>;
}

export interface Score {
  readonly axes: JsonObject;
  readonly score: number;
}

type Tables = readonly Opened<'summary'>[];
interface PlacedRow {
  readonly axes: JsonObject;
  readonly row: Row;
}

/** A table's split; that of `summarize` is empty where what it was given has none. */
const splitOf = ({row: {split}}: PlacedRow): string | undefined =>
  typeof split === 'string' && split !== '' ? split : undefined;

/**
 * The one score of each candidate, in order of the axes.
 *
 * @param axes those of the candidates.
 * @throws StageError when a candidate has none, or more than one.
 */
export function scoresOf(tables: Tables, axes: readonly string[], choice: Choice): readonly Score[] {
  // the axes are columns, so that `where` can pick along those that no candidate has
  const all = tables.flatMap(({axes: at, value}) =>
    gatherRows([{axes: at, rows: value}]).map((row) => ({axes: at, row})),
  );
  const {rows, of} = picked(all, choice);
  const groups = Map.groupBy(tables, (table) => candidateOf(table.axes, axes));
  const rowsOf = Map.groupBy(rows, (row) => candidateOf(row.axes, axes));
  const lacking = [...groups].flatMap(([key, [table]]) =>
    table && !rowsOf.has(key) ? [within(table.axes, axes)] : [],
  );
  if (lacking.length > 0)
    throw new StageError(
      `No score${of} is at ${pointsList(lacking)}.`,
      'Every candidate needs one, else the best might be left out: have the point give it, or take the point out of the sweep.',
    );
  return [...rowsOf.values()].map((own) => scoreOf(own, axes, of, choice.by));
}

const within = (at: JsonObject, axes: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(at).filter(([axis]) => axes.includes(axis)));

export const candidateOf = (at: JsonObject, axes: readonly string[]): string =>
  canonicalJson(axes.map((axis) => at[axis] ?? null));

/** The rows to compare, and what they are of, to be said after "score". */
function picked(all: readonly PlacedRow[], {split, where}: Choice) {
  const [first] = all;
  if (!first)
    throw new StageError('The tables of the scores have no rows.', 'Have what scores give one row of each candidate.');
  const ofSplit = rowsOfSplit(all, split);
  const isSplit = ofSplit.some((row) => splitOf(row) !== undefined);
  let rows = ofSplit;
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(where)) {
    const columns = Object.keys(first.row);
    if (!columns.includes(name))
      throw new StageError(`The scores have no column "${name}".`, suggestion(name, columns, 'columns'));
    const cells = rows.map(({row}) => row[name]);
    rows = rows.filter((_, index) => cells[index] === value);
    pairs.push(`${name}=${JSON.stringify(value)}`);
    if (rows.length > 0) continue;
    const there = [...new Set(cells.map((cell) => JSON.stringify(cell)))];
    throw new StageError(`No score has ${pairs.join(' and ')}.`, `The values of "${name}" are: ${shortened(there)}.`);
  }
  const of = [
    ...(isSplit ? [` of the split ${split}`] : []),
    ...(pairs.length > 0 ? [` with ${pairs.join(' and ')}`] : []),
  ];
  return {rows, of: of.join('')};
}

/** The rows of a split; those of tables without splits are all of one. */
function rowsOfSplit(rows: readonly PlacedRow[], split: string): readonly PlacedRow[] {
  const splits = new Set(rows.flatMap((row) => splitOf(row) ?? []));
  if (splits.size === 0) return rows;
  if (split === 'test' && splits.has('validation')) {
    throw new StageError(
      'Choosing by the split test is refused, since there are scores on validation.',
      'Write `split: validation`; a test split that decided something tells nothing any more.',
    );
  }
  if (!splits.has(split)) {
    const hint =
      split === 'validation' && splits.has('test')
        ? 'Score on a validation split (data: {validation: {n: 5000}}). Where none can be had, write `split: test`.'
        : `Write \`split:\` with one of ${[...splits].join(', ')}.`;
    throw new StageError(`No score is of the split ${split}.`, hint);
  }
  return rows.filter((row) => splitOf(row) === split);
}

function scoreOf(rows: readonly PlacedRow[], axes: readonly string[], of: string, by: string): Score {
  const [first] = rows;
  if (!first) throw new Error('Internal error: a candidate without a row');
  if (rows.length > 1) throw several(rows, within(first.axes, axes), of, by);
  const score = first.row[by];
  if (typeof score === 'number') return {axes: first.axes, score};
  const numbers = Object.keys(first.row).filter((name) => typeof first.row[name] === 'number');
  throw new StageError(`The scores have no numbers "${by}".`, suggestion(by, numbers, 'columns with numbers'));
}

/** Names the columns that tell the rows apart: of text, as far as there are any, since numbers differ that are measured. */
function several(rows: readonly PlacedRow[], at: JsonObject, of: string, by: string): StageError {
  const valuesOf = (name: string): readonly Cell[] => [...new Set(rows.flatMap(({row}) => row[name] ?? []))];
  const differ = Object.keys(rows[0]?.row ?? {}).filter((name) => name !== by && valuesOf(name).length > 1);
  const isAxis = (name: string): boolean => rows.some(({axes}) => Object.hasOwn(axes, name));
  const texts = differ.filter((name) => isAxis(name) || valuesOf(name).some((value) => typeof value !== 'number'));
  const names = texts.length > 0 ? texts : differ;
  const shown = names.map((name) => `"${name}" (${shortened(valuesOf(name).map((value) => JSON.stringify(value)))})`);
  const [name] = names;
  const [value] = name === undefined ? [] : valuesOf(name);
  return new StageError(
    `At ${shownAt(at)} there are ${rows.length} scores${of}, and one of each candidate is compared.${shown.length > 0 ? ` They differ in ${shown.join(' and ')}.` : ''}`,
    name === undefined
      ? 'Have what scores give one row of each candidate.'
      : `Pick one, as in \`where: {${name}: ${JSON.stringify(value)}}\`.`,
  );
}

const shortened = (values: readonly string[]): string =>
  values.length > 6 ? `${values.slice(0, 5).join(', ')}, …` : values.join(', ');
