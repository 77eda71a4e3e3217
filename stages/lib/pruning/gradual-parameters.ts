import {z} from 'zod';
import {roundComputed} from '../../../src/base/numbers.ts';
import {counted, sharedUnit, spanSchema, stepsOf, type TrainingLength, type Unit} from '../training/length.ts';
import {checkSpans, report, type SpanFault} from '../training/span-faults.ts';
import {lastChosen, type PruningSchedule} from './schedule.ts';
import {firstScored, type Score} from './score.ts';
import type {SelectionMethod} from './selection.ts';

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
  readonly interval: number;
  readonly warmup?: string | undefined;
  readonly final_warmup?: string | undefined;
}

export function scheduleOf(
  {warmup, final_warmup, interval, keep}: Timing & {readonly keep: number},
  {steps, stepsPerEpoch}: TrainingLength,
): PruningSchedule {
  return {
    steps,
    warmup: warmup === undefined ? Math.floor(steps / 6) : stepsOf(warmup, stepsPerEpoch),
    finalWarmup: final_warmup === undefined ? Math.floor(steps / 4) : stepsOf(final_warmup, stepsPerEpoch),
    interval,
    keep,
  };
}

/** No step between the two warm-ups: T − t_i − t_f ≤ 0. */
export const phasesFault = (
  {steps, warmup, finalWarmup}: PruningSchedule,
  unit: Unit = 'step',
): SpanFault | undefined =>
  steps - warmup - finalWarmup <= 0
    ? {
        message: `A warm-up of ${warmup} and a final phase of ${counted(finalWarmup, unit)} leave no ${unit} of ${steps} to prune in.`,
        hint: 'Shorten `warmup` or `final_warmup`, or lengthen `length`.',
        path: ['length'],
      }
    : undefined;

/** No round of pruning after the first step that has scores. */
export function scoresFault(schedule: PruningSchedule, firstStep: number): SpanFault | undefined {
  const last = lastChosen(schedule);
  if (schedule.keep >= 1 || last >= firstStep) return undefined;
  return {
    message: `The last pruning, after step ${last}, comes before there are scores, after step ${firstStep} (interval: ${schedule.interval}).`,
    hint: 'Give a smaller `interval`, a longer `warmup` or a longer `length`.',
    path: ['interval'],
  };
}

type Given = Timing &
  Amount &
  Parameters<typeof checkSpans>[0] & {
    readonly method: SelectionMethod;
    readonly beta2?: number;
    readonly score?: Score;
  };

/** PLATON's code takes β2 = 0 for another rule than β2 → 0: it scores at every step, by the window that has not ended. */
function smoothingFault({method, beta2, score}: Given): SpanFault | undefined {
  const isOwn = beta2 !== undefined;
  const given = isOwn ? beta2 : score?.name === 'platon' ? score.beta2 : undefined;
  if (method !== 'released' || given !== 0) return undefined;
  return {
    message: 'At 0 the released code has another rule, which scores by the window that has not ended.',
    hint: 'Give beta2 above 0, or 1 for importance alone; `method: exact` takes 0 as no smoothing.',
    path: isOwn ? ['beta2'] : ['score', 'beta2'],
  };
}

/** As `checkSpans`, of gradual pruning, and that its choices go together. */
export function checkPruning(given: Given, context: z.core.$RefinementCtx): void {
  checkSpans(given, context);
  report(context, smoothingFault(given));
  const {length, warmup, final_warmup, interval, score} = given;
  const unit = sharedUnit([length, warmup, final_warmup]);
  if (!unit) return;
  const schedule = scheduleOf(keepOnly(given), {steps: stepsOf(length, 1), stepsPerEpoch: 1});
  const fault = phasesFault(schedule, unit);
  const at = final_warmup !== undefined ? 'final_warmup' : warmup !== undefined ? 'warmup' : 'length';
  report(context, fault && {...fault, path: [at]});
  if (!fault && unit === 'step') report(context, scoresFault(schedule, firstScored(score?.name ?? 'platon', interval)));
}

/** What stages that prune gradually take and give alike. */
export const GRADUAL_INPUTS = {weights: {kind: 'weights', doc: 'The network to start from.'}} as const;
export const GRADUAL_OUTPUTS = {
  weights: {kind: 'weights', doc: 'The pruned network; what is masked is exactly 0.'},
  mask: {kind: 'mask', doc: 'What is kept of each prunable tensor.'},
  traces: {
    kind: 'metrics',
    doc: 'A row for each round of pruning: `ratio` is the fraction to keep by the schedule, `kept` the one that was kept, `threshold` the score at the edge, `regrown` how many weights came back that the round before had removed.',
    columns: {ratio: 'float64', threshold: 'float64', kept: 'float64', regrown: 'int32'},
  },
  evals: {kind: 'evals', doc: 'Evaluations on validation and test, under the mask of the last round.'},
} as const;
