import {z} from 'zod';
import type {Row, TableKind} from '../src/artifact/kinds.ts';
import {defineStage, type Opened, StageError} from '../src/stage/define-stage.ts';
import {shownAt} from './lib/shown-at.ts';
import {studentT} from './lib/student-t.ts';

type Replicates = readonly Opened<TableKind>[];

const splitOf = ({split}: Row): string => (typeof split === 'string' ? split : '');

/** The rows of each split, one of each replicate. */
function rowsBySplit(replicates: Replicates): ReadonlyMap<string, readonly Row[]> {
  for (const {axes, value: rows} of replicates) {
    for (const [split, {length}] of Map.groupBy(rows, splitOf)) {
      if (length === 1) continue;
      throw new StageError(
        `At ${shownAt(axes)} there are ${length} rows${split && ` of the split ${split}`}, and one number of each replicate is summarized.`,
        'Give tables with one row of each split, as barrier does; `basin show FILE NODE.ARTIFACT --format arrow` hands all rows to another program.',
      );
    }
  }
  return Map.groupBy(
    replicates.flatMap(({value}) => value),
    splitOf,
  );
}

function summaryOf(split: string, column: string, rows: readonly Row[], confidence: number) {
  const values = rows.flatMap((row) => (typeof row[column] === 'number' ? [row[column]] : []));
  const n = values.length;
  if (n < rows.length) {
    const columns = Object.keys(rows[0] ?? {}).filter((name) => typeof rows[0]?.[name] === 'number');
    throw new StageError(`There are no numbers "${column}".`, `Those that there are: ${columns.join(', ')}.`);
  }
  if (n < 2) throw new StageError('One replicate has no spread.', 'Gather at least two.');
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = (studentT(confidence, n - 1) * sd) / Math.sqrt(n);
  return {split, column, n, mean, sd, low: mean - half, high: mean + half};
}

const replicates = {many: {over: ['replicate']}, opens: true, optional: true} as const;

export default defineStage({
  name: 'summarize',
  version: 1,
  doc: 'Mean, standard deviation and confidence interval of columns over replicates.',
  params: z.strictObject({
    columns: z.array(z.string().min(1)).min(1).describe('The columns to summarize, for example [error].'),
    confidence: z.number().gt(0).lt(1).default(0.95).describe('How surely the interval holds the mean.'),
  }),
  inputs: {
    tables: {kind: 'summary', doc: 'The summaries of the replicates, a row of each split; or', ...replicates},
    points: {kind: 'points', doc: 'a point of a line of each replicate.', ...replicates},
  },
  outputs: {
    summary: {
      kind: 'summary',
      doc: 'A row for each split and column.',
      columns: {
        split: 'utf8',
        column: 'utf8',
        n: 'int32',
        mean: 'float64',
        sd: 'float64',
        low: 'float64',
        high: 'float64',
      },
    },
  },
  computes: 'plain',
  async run({params: {columns, confidence}, inputs: {tables, points}}) {
    const given = tables ?? points;
    if (!given || (tables && points))
      throw new StageError('Either `tables` or `points` is summarized.', 'Connect one of them.');
    return {
      summary: [...rowsBySplit(given)].flatMap(([split, rows]) =>
        columns.map((column) => summaryOf(split, column, rows, confidence)),
      ),
    };
  },
});
