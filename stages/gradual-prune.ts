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
import {scoreSchema} from './lib/pruning/score.ts';
import {withOptimizer} from './lib/training/optimizer-settings.ts';
import {TRAINING_NOOP, trainingParameters} from './lib/training/parameters.ts';

export default defineStage({
  name: 'gradual-prune',
  version: 1,
  doc: "Trains a network while the weights of lowest score are removed on PLATON's schedule: by PLATON, magnitude, movement, or at random.",
  params: z
    .strictObject({...trainingParameters, ...gradualParameters, score: scoreSchema, prunable: prunableSchema})
    .refine(oneAmount, oneAmountFault)
    .superRefine(checkPruning)
    .transform((given) => keepOnly(withOptimizer(given))),
  inputs: GRADUAL_INPUTS,
  outputs: {
    weights: GRADUAL_OUTPUTS.weights,
    mask: GRADUAL_OUTPUTS.mask,
    metrics: {
      kind: 'metrics',
      doc: 'As in platon-prune.',
      columns: {kept: 'float64', threshold: 'float64'},
    },
    traces: GRADUAL_OUTPUTS.traces,
    evals: GRADUAL_OUTPUTS.evals,
    summary: {
      kind: 'summary',
      doc: 'The last evaluation of each split; `kept` is a fraction of the prunable weights, `kept_of_network` of all parameters, `prunable` how many weights can be pruned.',
      columns: {...EVALUATION_COLUMNS, ...KEPT_COLUMNS, prunable: 'int32'},
    },
  },
  computes: 'tensors',
  noop: TRAINING_NOOP,
  sources: {data: resolveDataSet},
  foresee: foreseePrunable,
  async run({params, inputs, services}) {
    const {summary, prunable, ...given} = await pruneWhileTraining(inputs.weights, params, params.score, services);
    return {...given, summary: summary.map((row) => ({...row, prunable}))};
  },
});
