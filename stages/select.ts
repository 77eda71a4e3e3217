import {z} from 'zod';
import {axisCell} from '../src/artifact/gather.ts';
import type {Row} from '../src/artifact/kinds.ts';
import {type Candidate, defineStage, StageError} from '../src/stage/define-stage.ts';
import {choosingProblem} from './lib/choosing.ts';
import {sameModel} from './lib/models/known-model.ts';

const params = z.strictObject({
  by: z.string().min(1).describe('The column of the scores to choose by, for example error.'),
  best: z.enum(['min', 'max']).default('min').describe('Whether the smallest or the largest is the best.'),
  split: z
    .string()
    .min(1)
    .default('validation')
    .describe('The split whose rows are compared, where the scores have splits.'),
});

/** The rows of a split; those of a table without splits are all of one. */
function rowsOf(rows: readonly Row[], split: string): readonly Row[] {
  const splits = new Set(rows.flatMap((row) => (row.split === undefined ? [] : [row.split])));
  if (splits.size === 0) return rows;
  if (split === 'test' && splits.has('validation')) {
    throw new StageError(
      'Choosing by the split test is refused, since there are scores on validation.',
      'Write `split: validation`; a test split that decided something tells nothing any more.',
    );
  }
  if (!splits.has(split)) {
    const hint = splits.has('test')
      ? 'Score on a validation split (data: {validation: {n: 5000}}). Where none can be had, write `split: test`.'
      : `Write \`split:\` with one of ${[...splits].join(', ')}.`;
    throw new StageError(`No score is of the split ${split}.`, hint);
  }
  return rows.filter((row) => row.split === split);
}

/** The candidate at the point of the best row; of equal ones the first in order of the axes. */
function winner(candidates: readonly Candidate[], best: Row, name: string): Candidate {
  const found = candidates.filter(({axes}) =>
    Object.entries(axes).every(([axis, value]) => best[axis] === axisCell(value)),
  );
  const [first, second] = found;
  if (first && !second) return first;
  const why = first ? 'more than one' : 'none';
  throw new StageError(
    `Of "${name}" there is ${why} at the point of the best score.`,
    `Gather "${name}" and "scores" over the same axes: {from: …, over: […]}.`,
  );
}

export default defineStage({
  name: 'select',
  version: 1,
  doc: 'Passes on the best of many networks or masks, byte for byte, so that what follows runs again only when another one wins.',
  params,
  inputs: {
    scores: {kind: 'summary', doc: 'A row for each candidate and split.', many: {over: 'all'}},
    weights: {kind: 'weights', doc: 'The networks to choose from.', many: {over: 'all'}, optional: true},
    mask: {kind: 'mask', doc: 'The masks to choose from.', many: {over: 'all'}, optional: true},
  },
  outputs: {
    weights: {kind: 'weights', doc: 'The network of the best score.', passes: 'weights'},
    mask: {kind: 'mask', doc: 'The mask of the best score.', passes: 'mask'},
    summary: {
      kind: 'summary',
      doc: 'One row: where the best is, its score, and of how many.',
      columns: {chosen: 'utf8', by: 'utf8', score: 'float64', candidates: 'int32'},
    },
  },
  computes: 'plain',
  checkUpstream: ({split}, upstream) => choosingProblem(split, upstream),
  foresee: sameModel,
  async run({params: {by, best, split}, inputs}) {
    const {scores, weights, mask} = inputs;
    const [any] = [weights, mask].flatMap((candidates) => candidates ?? []);
    if (!any) throw new StageError('There is nothing to choose from.', 'Connect `weights`, `mask` or both.');
    const rows = rowsOf(scores, split);
    const scored = rows.flatMap((row) => (typeof row[by] === 'number' ? [{row, score: row[by]}] : []));
    const [first, ...others] = scored;
    if (!first || scored.length < rows.length) {
      const columns = Object.keys(rows[0] ?? {}).filter((name) => typeof rows[0]?.[name] === 'number');
      throw new StageError(`The scores have no numbers "${by}".`, `Those that they have are: ${columns.join(', ')}.`);
    }
    const isBetter = (one: number, other: number): boolean => (best === 'min' ? one < other : one > other);
    const top = others.reduce((held, next) => (isBetter(next.score, held.score) ? next : held), first);
    const chosen = Object.entries(any.axes).map(([axis]) => `${axis}=${top.row[axis]}`);
    return {
      weights: weights && winner(weights, top.row, 'weights'),
      mask: mask && winner(mask, top.row, 'mask'),
      summary: [{chosen: chosen.join(', '), by, score: top.score, candidates: rows.length}],
    };
  },
});
