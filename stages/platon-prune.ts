import {z} from 'zod';
import {roundComputed} from '../src/base/numbers.ts';
import {defineStage, StageError} from '../src/stage/define-stage.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {EVALUATION_COLUMNS} from './lib/evaluate.ts';
import {bitsOf, KEPT_COLUMNS, keptFractions, maskOf} from './lib/pruning/masks.ts';
import {platon} from './lib/pruning/platon.ts';
import type {PruningSchedule} from './lib/pruning/schedule.ts';
import {spanSchema, stepsOf} from './lib/training/length.ts';
import {withOptimizer} from './lib/training/optimizer-settings.ts';
import {TRAINING_NOOP, trainingParameters} from './lib/training/parameters.ts';
import {bindTask, weightsOf} from './lib/training/task.ts';
import {type TrainingLength, train, trainingLength} from './lib/training/train.ts';

const params = z
  .strictObject({
    ...trainingParameters,
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
    beta1: z.number().min(0).lt(1).default(0.85).describe('Weight of the past in the smoothed importance.'),
    beta2: z.number().min(0).lt(1).default(0.95).describe('Weight of the past in the smoothed uncertainty.'),
    interval: z
      .int()
      .min(1)
      .default(10)
      .describe('ΔT: steps between two rounds of pruning, and length of the averaging window.'),
    warmup: spanSchema.optional().describe('Dense steps before pruning starts; a sixth of all steps when not given.'),
    final_warmup: spanSchema
      .optional()
      .describe('Steps at the end that hold the target; a quarter of all steps when not given.'),
  })
  .refine(({keep, sparsity}) => (keep === undefined) !== (sparsity === undefined), {
    error: 'give exactly one of `keep` and `sparsity`',
    path: ['keep'],
  })
  .transform(({keep, sparsity, ...rest}) => ({
    ...withOptimizer(rest),
    keep: roundComputed(keep ?? 1 - (sparsity ?? 0)),
  }));

type Parameters = z.output<typeof params>;

function scheduleOf(
  {warmup, final_warmup, interval, keep}: Parameters,
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

export default defineStage({
  name: 'platon-prune',
  version: 1,
  doc: 'Trains a network while PLATON (Zhang et al. 2022) removes the weights whose importance, by an upper confidence bound, is lowest.',
  params,
  inputs: {weights: {kind: 'weights', doc: 'The network to start from.'}},
  outputs: {
    weights: {kind: 'weights', doc: 'The pruned network; what is masked is exactly 0.'},
    mask: {kind: 'mask', doc: 'What is kept of each prunable tensor.'},
    metrics: {
      kind: 'metrics',
      doc: 'As in finetune; `kept` is the fraction of prunable weights that stands after the step (1 between rounds of pruning), `threshold` the score at the last round.',
      columns: {kept: 'float64', threshold: 'float64'},
    },
    evals: {kind: 'evals', doc: 'Evaluations on validation and test, under the mask of the last round.'},
    summary: {
      kind: 'summary',
      doc: 'The last evaluation of each split; `kept` is a fraction of the prunable weights, `kept_of_network` of all parameters.',
      columns: {...EVALUATION_COLUMNS, ...KEPT_COLUMNS},
    },
  },
  computes: 'tensors',
  noop: TRAINING_NOOP,
  sources: {data: resolveDataSet},
  async run({params: given, inputs, services}) {
    const task = await bindTask(inputs.weights, given, services);
    const schedule = scheduleOf(given, trainingLength(task, given));
    const hook = platon(services.tf, task.layout, {
      schedule,
      method: given.method,
      beta1: given.beta1,
      beta2: given.beta2,
    });
    try {
      const {flat, metrics, evals, final} = await train(task, given, services, hook);
      const bits = hook.selection()?.bits;
      if (!bits) throw new Error('Internal error: PLATON ended without a mask');
      const mask = maskOf(task.layout, bits);
      const kept = keptFractions(task.layout, bitsOf(task.layout, mask));
      return {weights: weightsOf(task, flat), mask, metrics, evals, summary: final.map((row) => ({...row, ...kept}))};
    } finally {
      hook.dispose();
    }
  },
});
