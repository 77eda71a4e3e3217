import {z} from 'zod';
import {defineStage} from '../src/stage/define-stage.ts';
import {dataSetSchema, splitSchema} from './lib/data/data-set-value.ts';
import {splitOf} from './lib/data/load-data-set.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {EVALUATION_COLUMNS, evaluationRow} from './lib/evaluate.ts';
import {precisionSchema} from './lib/precision.ts';
import {KEPT_COLUMNS, keptFractions, nonZero} from './lib/pruning/masks.ts';
import {bindTask, evaluateFlat} from './lib/training/task.ts';

export default defineStage({
  name: 'evaluate',
  version: 1,
  doc: 'Loss and error of a network on a split of a data set, without augmentation.',
  params: z.strictObject({
    data: dataSetSchema,
    split: splitSchema.default('test').describe('The split to evaluate on.'),
    precision: precisionSchema,
  }),
  inputs: {weights: {kind: 'weights', doc: 'The network.'}},
  outputs: {
    summary: {
      kind: 'summary',
      doc: 'One row: the evaluation, and the fractions of weights that are not 0.',
      columns: {...EVALUATION_COLUMNS, ...KEPT_COLUMNS},
    },
  },
  computes: 'tensors',
  noop: {precision: 'fp32'},
  sources: {data: resolveDataSet},
  async run({params, inputs, services}) {
    const task = await bindTask(inputs.weights, params, services);
    const pictures = splitOf(task.data, params.split);
    const flat = services.tf.tensor1d(task.start);
    try {
      const row = evaluationRow(params.split, await evaluateFlat(task, flat, pictures, services));
      return {summary: [{...row, ...keptFractions(task.layout, nonZero(task.layout, task.start))}]};
    } finally {
      flat.dispose();
    }
  },
});
