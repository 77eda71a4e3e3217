import {z} from 'zod';
import {defineStage, StageError} from '../src/stage/define-stage.ts';
import {dataSetSchema} from './lib/data/data-set-value.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {sameModel} from './lib/models/known-model.ts';
import {precisionSchema} from './lib/precision.ts';
import {restoredValues, restoreStatistics} from './lib/training/line-statistics.ts';
import {bindTask, weightsOf} from './lib/training/task.ts';

export default defineStage({
  name: 'estimate-statistics',
  version: 1,
  doc: 'Estimates the running statistics of batch normalisation anew, as a network needs that was merged or masked.',
  params: z.strictObject({
    data: dataSetSchema,
    pictures: z.int().min(1).default(2000).describe('Training pictures to estimate from, drawn once.'),
    precision: precisionSchema,
  }),
  inputs: {weights: {kind: 'weights', doc: 'A network with running statistics; what they are does not matter.'}},
  outputs: {weights: {kind: 'weights', doc: 'The network with its own.'}},
  computes: 'tensors',
  noop: {precision: 'fp32'},
  sources: {data: resolveDataSet},
  foresee: sameModel,
  async run({params, inputs: {weights}, services}) {
    const task = await bindTask(weights, params, services);
    if (task.layout.trainable === task.layout.size)
      throw new StageError('The network has no running statistics to estimate.', 'Take its weights as they are.');
    const restore = restoreStatistics(task, {pictures: params.pictures}, services);
    return {weights: weightsOf(task, await restoredValues(services.tf, restore, task.start))};
  },
});
