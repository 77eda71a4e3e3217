import {z} from 'zod';
import {defineStage} from '../src/stage/define-stage.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {EVALUATION_COLUMNS} from './lib/evaluate.ts';
import {sameModel} from './lib/models/known-model.ts';
import {KEPT_COLUMNS, keptFractions, nonZero} from './lib/pruning/masks.ts';
import {withOptimizer} from './lib/training/optimizer-settings.ts';
import {PART_NOOP, partParameters, TRAINING_NOOP, trainingParameters} from './lib/training/parameters.ts';
import {checkSpans} from './lib/training/span-faults.ts';
import {bindTask, weightsOf} from './lib/training/task.ts';
import {train} from './lib/training/train.ts';

export default defineStage({
  name: 'finetune',
  version: 1,
  doc: 'Trains all parameters of a network on a data set. Two runs that differ in `seed` only are a pair.',
  params: z
    .strictObject({...trainingParameters, ...partParameters})
    .superRefine(checkSpans)
    .transform(withOptimizer),
  inputs: {
    weights: {
      kind: 'weights',
      doc: 'The network to start from; its head must have as many outputs as the data has classes.',
    },
  },
  outputs: {
    weights: {kind: 'weights', doc: 'The trained network.'},
    metrics: {kind: 'metrics', doc: 'Loss and learning rate of every step.'},
    evals: {kind: 'evals', doc: 'Evaluations on validation and test.'},
    summary: {
      kind: 'summary',
      doc: 'The last evaluation of each split, and the fractions of weights that are not 0.',
      columns: {...EVALUATION_COLUMNS, ...KEPT_COLUMNS},
    },
  },
  computes: 'tensors',
  noop: {...TRAINING_NOOP, ...PART_NOOP},
  sources: {data: resolveDataSet},
  foresee: sameModel,
  async run({params, inputs, services}) {
    const task = await bindTask(inputs.weights, params, services);
    const {flat, metrics, evals, final} = await train(task, params, services);
    const kept = keptFractions(task.layout, nonZero(task.layout, flat));
    return {weights: weightsOf(task, flat), metrics, evals, summary: final.map((row) => ({...row, ...kept}))};
  },
});
