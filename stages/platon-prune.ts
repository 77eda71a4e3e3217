import {z} from 'zod';
import {defineStage} from '../src/stage/define-stage.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {EVALUATION_COLUMNS} from './lib/evaluate.ts';
import {foreseePrunable} from './lib/pruning/foresee-prunable.ts';
import {
  checkPruning,
  GRADUAL_INPUTS,
  GRADUAL_OUTPUTS,
  gradualParameters,
  keepOnly,
  oneAmount,
  oneAmountFault,
} from './lib/pruning/gradual-parameters.ts';
import {KEPT_COLUMNS} from './lib/pruning/masks.ts';
import {prunableSchema} from './lib/pruning/prunable.ts';
import {pruneWhileTraining} from './lib/pruning/prune-while-training.ts';
import {smoothing} from './lib/pruning/score.ts';
import {withOptimizer} from './lib/training/optimizer-settings.ts';
import {TRAINING_NOOP, trainingParameters} from './lib/training/parameters.ts';

export default defineStage({
  name: 'platon-prune',
  version: 1,
  doc: 'Trains a network while PLATON (Zhang et al. 2022) removes the weights whose importance, by an upper confidence bound, is lowest.',
  params: z
    .strictObject({
      ...trainingParameters,
      ...gradualParameters,
      ...smoothing,
      prunable: prunableSchema,
      traces: z.boolean().default(false).describe('Gives `traces` too: a row for each round of pruning.'),
    })
    .refine(oneAmount, oneAmountFault)
    .superRefine(checkPruning)
    .transform((given) => keepOnly(withOptimizer(given))),
  inputs: GRADUAL_INPUTS,
  outputs: {
    weights: GRADUAL_OUTPUTS.weights,
    mask: GRADUAL_OUTPUTS.mask,
    metrics: {
      kind: 'metrics',
      doc: 'As in finetune; `kept` is the fraction of prunable weights that stands after the step (1 between rounds of pruning), `threshold` the score at the last round.',
      columns: {kept: 'float64', threshold: 'float64'},
    },
    traces: {...GRADUAL_OUTPUTS.traces, when: 'traces'},
    evals: GRADUAL_OUTPUTS.evals,
    summary: {
      kind: 'summary',
      doc: 'The last evaluation of each split; `kept` is a fraction of the prunable weights, `kept_of_network` of all parameters.',
      columns: {...EVALUATION_COLUMNS, ...KEPT_COLUMNS},
    },
  },
  computes: 'tensors',
  noop: {...TRAINING_NOOP, traces: false},
  sources: {data: resolveDataSet},
  foresee: foreseePrunable,
  async run({params, inputs, services}) {
    const {beta1, beta2} = params;
    const {weights, mask, metrics, evals, summary, traces} = await pruneWhileTraining(
      inputs.weights,
      params,
      {name: 'platon', beta1, beta2},
      services,
    );
    return {weights, mask, metrics, traces: params.traces ? traces : undefined, evals, summary};
  },
});
