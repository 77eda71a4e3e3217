import {z} from 'zod';
import {defineStage} from '../src/stage/define-stage.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {EVALUATION_COLUMNS} from './lib/evaluate.ts';
import {sameModel} from './lib/models/known-model.ts';
import {bitsOf, KEPT_COLUMNS, keptFractions} from './lib/pruning/masks.ts';
import {prunableSchema} from './lib/pruning/prunable.ts';
import {trainMasked} from './lib/pruning/train-masked.ts';
import {withOptimizer} from './lib/training/optimizer-settings.ts';
import {PART_NOOP, partParameters, TRAINING_NOOP, trainingParameters} from './lib/training/parameters.ts';
import {checkSpans} from './lib/training/span-faults.ts';
import {bindTask, weightsOf} from './lib/training/task.ts';

export default defineStage({
  name: 'mask-retrain',
  version: 1,
  doc: 'Puts a mask on a network, usually the original one, and trains what it keeps; what it removes stays exactly 0.',
  params: z
    .strictObject({...trainingParameters, ...partParameters, prunable: prunableSchema})
    .superRefine(checkSpans)
    .transform(withOptimizer),
  inputs: {
    weights: {
      kind: 'weights',
      doc: 'The network to start from; for a lottery ticket, the one that pruning started from.',
    },
    mask: {kind: 'mask', doc: 'What is kept; tensors it does not name are kept whole.'},
  },
  outputs: {
    weights: {kind: 'weights', doc: 'The retrained network.'},
    metrics: {kind: 'metrics', doc: 'Loss and learning rate of every step.'},
    evals: {kind: 'evals', doc: 'Evaluations on validation and test.'},
    summary: {
      kind: 'summary',
      doc: 'The last evaluation of each split; `kept` is a fraction of the prunable weights, `kept_of_network` of all parameters.',
      columns: {...EVALUATION_COLUMNS, ...KEPT_COLUMNS},
    },
  },
  computes: 'tensors',
  noop: {...TRAINING_NOOP, ...PART_NOOP},
  sources: {data: resolveDataSet},
  foresee: sameModel,
  async run({params, inputs, services}) {
    const task = await bindTask(inputs.weights, params, services);
    const bits = bitsOf(task.layout, inputs.mask);
    const {flat, metrics, evals, final} = await trainMasked(task, params, services, bits);
    const fractions = keptFractions(task.layout, bits);
    return {weights: weightsOf(task, flat), metrics, evals, summary: final.map((row) => ({...row, ...fractions}))};
  },
});
