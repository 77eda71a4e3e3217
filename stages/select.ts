import {z} from 'zod';
import {axisCell} from '../src/artifact/gather.ts';
import {type Candidate, defineStage, StageError} from '../src/stage/define-stage.ts';
import {choosingProblem} from './lib/choosing.ts';
import {sameModel} from './lib/models/known-model.ts';
import {candidateOf, type Score, scoresOf} from './lib/scores.ts';
import {scoresProblems} from './lib/scores-ahead.ts';

const params = z.strictObject({
  by: z.string().min(1).describe('The column of the scores to choose by, for example error.'),
  best: z.enum(['min', 'max']).default('min').describe('Whether the smallest or the largest is the best.'),
  split: z
    .string()
    .min(1)
    .default('validation')
    .describe('The split whose rows are compared, where the scores have splits.'),
  where: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe(
      'Which row of a candidate is compared where there are several: what it holds by column, for example {column: error}.',
    ),
});

/** The candidate at the point of the best score. */
function winner(candidates: readonly Candidate[], best: Score, name: string): Candidate {
  const axes = Object.keys(candidates[0]?.axes ?? {});
  const at = candidateOf(best.axes, axes);
  const [first, second] = candidates.filter((candidate) => candidateOf(candidate.axes, axes) === at);
  if (first && !second) return first;
  const why = first ? 'more than one' : 'none';
  throw new StageError(
    `Of "${name}" there is ${why} at the point of the best score.`,
    `Gather "${name}" and "scores" over the same axes: {from: …, over: […]}.`,
  );
}

export default defineStage({
  name: 'select',
  version: 2,
  doc: 'Passes on the best of many networks or masks, byte for byte, so that what follows runs again only when another one wins.',
  params,
  inputs: {
    scores: {kind: 'summary', doc: 'A row for each candidate and split.', many: {over: 'all'}, opens: true},
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
  noop: {where: {}},
  checkUpstream: (choice, upstream) => choosingProblem(choice.split, upstream) ?? scoresProblems(choice, upstream),
  foresee: sameModel,
  async run({params: {best, ...choice}, inputs: {scores, weights, mask}}) {
    const [any] = [weights, mask].flatMap((candidates) => candidates ?? []);
    if (!any) throw new StageError('There is nothing to choose from.', 'Connect `weights`, `mask` or both.');
    const axes = Object.keys(any.axes);
    const scored = scoresOf(scores, axes, choice);
    const isBetter = (one: Score, other: Score): boolean =>
      best === 'min' ? one.score < other.score : one.score > other.score;
    // of equal ones the first in order of the axes
    const top = scored.reduce((held, next) => (isBetter(next, held) ? next : held));
    const chosen = Object.entries(any.axes).map(([axis]) => `${axis}=${axisCell(top.axes[axis] ?? null)}`);
    return {
      weights: weights && winner(weights, top, 'weights'),
      mask: mask && winner(mask, top, 'mask'),
      summary: [{chosen: chosen.join(', '), by: choice.by, score: top.score, candidates: scored.length}],
    };
  },
});
