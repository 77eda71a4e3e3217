import {z} from 'zod';
import type {Row, TableKind} from '../src/artifact/kinds.ts';
import type {JsonObject} from '../src/base/json.ts';
import {suggestion} from '../src/base/nearest.ts';
import {defineStage, type Opened, type ParameterProblem, StageError, type Upstream} from '../src/stage/define-stage.ts';
import {columnsAhead, unknownNames} from './lib/columns-ahead.ts';
import {apartOf} from './lib/scores-ahead.ts';
import {pointsList, shownAt} from './lib/shown-at.ts';
import {studentT} from './lib/student-t.ts';

type Replicates = readonly Opened<TableKind>[];

const splitOf = ({split}: Row): string => (typeof split === 'string' ? split : '');

/** A row's split, and its cells in the columns that tell rows of a split apart. */
interface Group {
  readonly split: string;
  readonly cells: Readonly<Record<string, string>>;
}

function groupOf(row: Row, by: readonly string[]): Group {
  const cells = by.map((name): [string, string] => {
    const cell = row[name];
    if (cell !== undefined) return [name, String(cell)];
    throw new StageError(`There is no column "${name}".`, suggestion(name, Object.keys(row), 'columns'));
  });
  return {split: splitOf(row), cells: Object.fromEntries(cells)};
}

const shownGroup = ({split, cells}: Group): string =>
  [
    ...(split === '' ? [] : [`the split ${split}`]),
    ...Object.entries(cells).map(([name, cell]) => `${name}=${cell}`),
  ].join(', ');

/** A replicate's row of a group. */
interface Member {
  readonly axes: JsonObject;
  readonly row: Row;
}

/** The rows of each split and of what `by` tells apart, one of each replicate. */
function rowsByGroup(replicates: Replicates, by: readonly string[]): readonly (readonly [Group, readonly Member[]])[] {
  const groups = new Map<string, {readonly group: Group; readonly rows: Member[]}>();
  for (const {axes, value} of replicates) {
    for (const [key, rows] of Map.groupBy(value, (row) => JSON.stringify(groupOf(row, by)))) {
      const [row] = rows;
      if (!row) continue;
      const group = groupOf(row, by);
      if (rows.length > 1) {
        const of = shownGroup(group);
        throw new StageError(
          `At ${shownAt(axes)} there are ${rows.length} rows${of && ` of ${of}`}, and one number of each replicate is summarized.`,
          'Name the columns that tell them apart, as in `by: [layer, rest]`; `basin show FILE NODE.ARTIFACT --format arrow` hands all rows to another program.',
        );
      }
      const known = groups.get(key) ?? {group, rows: []};
      groups.set(key, known);
      known.rows.push({axes, row});
    }
  }
  if (groups.size === 0) throw new StageError('The tables have no rows.', 'Have each replicate give one.');
  for (const {group, rows} of groups.values()) {
    const there = new Set(rows.map(({axes}) => axes));
    const lacking = replicates.flatMap(({axes}) => (there.has(axes) ? [] : [axes]));
    if (lacking.length === 0) continue;
    const of = shownGroup(group);
    throw new StageError(
      `No row${of && ` of ${of}`} is at ${pointsList(lacking)}.`,
      'Every replicate needs one, else the mean is of some of them: have the point give it, or take the point out of the sweep.',
    );
  }
  return [...groups.values()].map(({group, rows}) => [group, rows]);
}

const inGroup = (group: Group): string => {
  const of = shownGroup(group);
  return of && `, in ${of}`;
};

function summaryOf({split, cells}: Group, column: string, rows: readonly Member[], confidence: number) {
  const values = rows.flatMap(({row}) => (typeof row[column] === 'number' ? [row[column]] : []));
  const n = values.length;
  if (n < rows.length) {
    const columns = Object.entries(rows[0]?.row ?? {}).filter(([, cell]) => typeof cell === 'number');
    throw new StageError(
      `There are no numbers "${column}".`,
      suggestion(
        column,
        columns.map(([name]) => name),
        'columns with numbers',
      ),
    );
  }
  const endless = rows.find(({row}) => !Number.isFinite(row[column]));
  if (endless)
    throw new StageError(
      `"${column}" is ${endless.row[column]} at ${shownAt(endless.axes)}${inGroup({split, cells})}, so that it has no mean and no spread.`,
      'Take the point out of the sweep, or have it give a finite number.',
    );
  if (n < 2) throw new StageError('One replicate has no spread.', 'Gather at least two.');
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = (studentT(confidence, n - 1) * sd) / Math.sqrt(n);
  if (!Number.isFinite(mean) || !Number.isFinite(half))
    throw new StageError(
      `The numbers of "${column}" are too large to have a mean and a spread.`,
      'Have the points give smaller ones, or summarize another column.',
    );
  return {...cells, split, column, n, mean, sd, low: mean - half, high: mean + half};
}

const SUMMARY_COLUMNS = {
  split: 'utf8',
  column: 'utf8',
  n: 'int32',
  mean: 'float64',
  sd: 'float64',
  low: 'float64',
  high: 'float64',
} as const;

/** What is known before anything runs of columns that are not there, and of replicates with several rows of a split. */
function problemsAhead(
  columns: readonly string[],
  by: readonly string[] | undefined,
  {inputs: {tables, points}}: Upstream,
): readonly ParameterProblem[] {
  const givers = tables ?? points ?? [];
  const [giver] = givers;
  const known = columnsAhead(givers);
  const named = (parameter: string, names: readonly string[]) =>
    names.map((name, index) => ({parameter, path: [index], name}));
  const unknown = [
    ...unknownNames(
      named('columns', columns),
      known.numbers,
      'columns with numbers',
      (name) => `There are no numbers "${name}".`,
    ),
    ...unknownNames(named('by', by ?? []), known.all, 'columns', (name) => `There is no column "${name}".`),
  ];
  const left = giver ? apartOf(giver).flatMap(({name}) => (by?.includes(name) ? [] : [name])) : [];
  if (unknown.length > 0 || left.length === 0) return unknown;
  return [
    {
      parameter: 'by',
      message: `There are several rows of each replicate, which differ in ${left.map((name) => `"${name}"`).join(' and ')}, and one number of each is summarized.`,
      hint: `Summarize each by itself: by: [${[...(by ?? []), ...left].join(', ')}].`,
    },
  ];
}

const replicates = {many: {over: ['replicate']}, opens: true, optional: true} as const;

export default defineStage({
  name: 'summarize',
  version: 2,
  doc: 'Mean, standard deviation and confidence interval of columns over replicates.',
  params: z.strictObject({
    columns: z.array(z.string().min(1)).min(1).describe('The columns to summarize, for example [error].'),
    by: z
      .array(z.string().min(1))
      .min(1)
      .refine((names) => names.every((name) => !Object.hasOwn(SUMMARY_COLUMNS, name)), {
        error: `The columns ${Object.keys(SUMMARY_COLUMNS).join(', ')} are there already.`,
      })
      .describe('Columns that tell the rows of a split apart, for example [layer, rest]: each has its own summary.')
      .optional(),
    confidence: z.number().gt(0).lt(1).default(0.95).describe('How surely the interval holds the mean.'),
  }),
  inputs: {
    tables: {
      kind: 'summary',
      doc: 'The summaries of the replicates, a row of each split and of what `by` tells apart; or',
      ...replicates,
    },
    points: {kind: 'points', doc: 'a point of a line of each replicate.', ...replicates},
  },
  outputs: {
    summary: {
      kind: 'summary',
      doc: 'A row for each split, for what `by` tells apart, and for each column.',
      named: 'by',
      columns: SUMMARY_COLUMNS,
    },
  },
  computes: 'plain',
  checkUpstream: ({columns, by}, upstream) => problemsAhead(columns, by, upstream),
  async run({params: {columns, by = [], confidence}, inputs: {tables, points}}) {
    const given = tables ?? points;
    if (!given || (tables && points))
      throw new StageError('Either `tables` or `points` is summarized.', 'Connect one of them.');
    return {
      summary: rowsByGroup(given, by).flatMap(([group, rows]) =>
        columns.map((column) => summaryOf(group, column, rows, confidence)),
      ),
    };
  },
});
