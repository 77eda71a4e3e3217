import {z} from 'zod';
import {roundComputed} from '../../../src/base/numbers.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {spanSchema, stepsOf} from '../training/length.ts';
import type {TrainingLength} from '../training/train.ts';
import type {PruningSchedule} from './schedule.ts';

/** The parameters of gradual pruning besides those of training: how much, and when. */
export const gradualParameters = {
  keep: z.number().gt(0).max(1).describe('Fraction of the prunable weights to keep, in (0, 1].').optional(),
  sparsity: z
    .number()
    .min(0)
    .lt(1)
    .describe('Fraction of the prunable weights to remove, in [0, 1); the same as keep = 1 − sparsity.')
    .optional(),
  method: z
    .enum(['exact', 'released'])
    .default('exact')
    .describe(
      "exact keeps round(N·keep) weights, ties by index; released counts as PLATON's published code does, one more or, with ties, many.",
    ),
  interval: z
    .int()
    .min(1)
    .default(10)
    .describe('ΔT: steps between two rounds of pruning, and length of the averaging window.'),
  warmup: spanSchema.optional().describe('Dense steps before pruning starts; a sixth of all steps when not given.'),
  final_warmup: spanSchema
    .optional()
    .describe('Steps at the end that hold the target; a quarter of all steps when not given.'),
};

interface Amount {
  readonly keep?: number | undefined;
  readonly sparsity?: number | undefined;
}

export const oneAmount = ({keep, sparsity}: Amount): boolean => (keep === undefined) !== (sparsity === undefined);
export const oneAmountFault = {error: 'give exactly one of `keep` and `sparsity`', path: ['keep']};

/** The parameters with the amount as `keep`, however it was given. */
export const keepOnly = <P extends Amount>({keep, sparsity, ...rest}: P) => ({
  ...rest,
  keep: roundComputed(keep ?? 1 - (sparsity ?? 0)),
});

interface Timing {
  readonly keep: number;
  readonly interval: number;
  readonly warmup?: string | undefined;
  readonly final_warmup?: string | undefined;
}

/** @throws StageError when no step is left between the two warm-ups. */
export function scheduleOf(
  {warmup, final_warmup, interval, keep}: Timing,
  {steps, stepsPerEpoch}: TrainingLength,
): PruningSchedule {
  const first = warmup === undefined ? Math.floor(steps / 6) : stepsOf(warmup, stepsPerEpoch);
  const last = final_warmup === undefined ? Math.floor(steps / 4) : stepsOf(final_warmup, stepsPerEpoch);
  if (steps - first - last <= 0) {
    throw new StageError(
      `A warm-up of ${first} and a final phase of ${last} steps leave no step of ${steps} to prune in.`,
      'Shorten `warmup` or `final_warmup`, or lengthen `length`.',
    );
  }
  return {steps, warmup: first, finalWarmup: last, interval, keep};
}

/** What stages that prune gradually take and give alike. */
export const GRADUAL_INPUTS = {weights: {kind: 'weights', doc: 'The network to start from.'}} as const;
export const GRADUAL_OUTPUTS = {
  weights: {kind: 'weights', doc: 'The pruned network; what is masked is exactly 0.'},
  mask: {kind: 'mask', doc: 'What is kept of each prunable tensor.'},
  evals: {kind: 'evals', doc: 'Evaluations on validation and test, under the mask of the last round.'},
} as const;
