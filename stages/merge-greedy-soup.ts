import type {Tensor1D} from '@tensorflow/tfjs';
import {z} from 'zod';
import {defineStage, StageError} from '../src/stage/define-stage.ts';
import {choosingProblem} from './lib/choosing.ts';
import {dataSetSchema} from './lib/data/data-set-value.ts';
import {splitOf} from './lib/data/load-data-set.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import type {Evaluation} from './lib/evaluate.ts';
import {bestFirst, withIngredient} from './lib/merging/greedy-soup.ts';
import {MODEL_INPUTS, modelsOf} from './lib/merging/models.ts';
import {sameModel} from './lib/models/known-model.ts';
import {precisionSchema} from './lib/precision.ts';
import {shownAt} from './lib/shown-at.ts';
import {reEstimatedSchema, restoredValues, restoreStatistics} from './lib/training/line-statistics.ts';
import {pack} from './lib/training/parameter-layout.ts';
import {bindTask, evaluateFlat, weightsOf} from './lib/training/task.ts';

export default defineStage({
  name: 'merge-greedy-soup',
  version: 1,
  doc: 'The mean of those networks that, added best first, each made it better on held-out pictures (Wortsman et al. 2022).',
  params: z
    .strictObject({
      data: dataSetSchema,
      split: z
        .enum(['validation', 'test'])
        .default('validation')
        .describe('The held-out pictures. `test` is refused where there is a validation split.'),
      precision: precisionSchema,
      statistics: reEstimatedSchema
        .optional()
        .describe(
          'Of networks with running statistics (batch normalisation), which are estimated anew for every soup; must be given there.',
        ),
    })
    .refine(({data, split}) => split !== 'test' || data.validation === undefined, {
      error: 'Choosing by the split test is refused, since the data set has a validation split.',
      path: ['split'],
    }),
  inputs: MODEL_INPUTS,
  outputs: {
    weights: {kind: 'weights', doc: 'The soup.'},
    summary: {
      kind: 'summary',
      doc: 'A row a network, in the order of trying: its own accuracy, that of the soup with it, and whether it stays in.',
      apart: ['network'],
      columns: {
        network: 'utf8',
        split: 'utf8',
        accuracy: 'float64',
        soup_accuracy: 'float64',
        kept: 'bool',
        ingredients: 'int32',
      },
    },
  },
  computes: 'tensors',
  noop: {precision: 'fp32'},
  sources: {data: resolveDataSet},
  checkUpstream: ({split}, upstream) => choosingProblem(split, upstream),
  foresee: sameModel,
  async run({params, inputs, services}) {
    const models = modelsOf(inputs);
    const [first] = models;
    if (!first) throw new StageError('There is no network.', 'Connect `weights`.');
    const task = await bindTask(first.weights, params, services);
    const restore = restoreStatistics(task, params.statistics, services);
    const pictures = splitOf(task.data, params.split);
    const steps = 2 * models.length - 1;
    let step = 0;
    const accuracyOf = async (values: Float32Array): Promise<number> => {
      const flat: Tensor1D = services.tf.tensor1d(values);
      try {
        const {accuracy}: Evaluation = await evaluateFlat(task, flat, pictures, services);
        services.progress({step: ++step, steps});
        return accuracy;
      } finally {
        flat.dispose();
      }
    };
    const candidates = [];
    for (const {at, weights} of models) {
      const accuracy = await accuracyOf(pack(task.layout, weights.tensors));
      candidates.push({network: shownAt(at), accuracy, weights});
    }
    let soup: Float32Array = new Float32Array();
    let best = Number.NEGATIVE_INFINITY;
    let ingredients = 0;
    const summary = [];
    for (const {network, accuracy, weights} of bestFirst(candidates)) {
      const mixed = withIngredient(soup, ingredients, pack(task.layout, weights.tensors));
      const tried = ingredients === 0 ? mixed : await restoredValues(services.tf, restore, mixed);
      const found = ingredients === 0 ? accuracy : await accuracyOf(tried);
      const kept = found > best;
      if (kept) {
        soup = tried;
        best = found;
        ingredients++;
      }
      summary.push({network, split: params.split, accuracy, soup_accuracy: found, kept, ingredients});
    }
    return {weights: weightsOf(task, soup), summary};
  },
});
