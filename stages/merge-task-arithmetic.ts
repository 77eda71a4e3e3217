import {z} from 'zod';
import {defineStage} from '../src/stage/define-stage.ts';
import {BASE_INPUT, MODEL_INPUTS, modelsOf} from './lib/merging/models.ts';
import {settingsOf, weighted} from './lib/merging/recipe.ts';
import {mergedStatisticsSchema} from './lib/merging/running-statistics.ts';
import {lambdaSchema, mergeTaskVectors} from './lib/merging/task-vectors.ts';
import {sameModel} from './lib/models/known-model.ts';

export default defineStage({
  name: 'merge-task-arithmetic',
  version: 1,
  doc: 'Adds what fine-tuning changed in each network to their base (Ilharco et al. 2023); a negative weight takes it away.',
  params: z.strictObject({
    ...weighted,
    lambda: lambdaSchema,
    normalize: z.boolean().default(false).describe('Whether the sum is divided by the sum of the weights.'),
    statistics: mergedStatisticsSchema,
  }),
  inputs: {base: BASE_INPUT, ...MODEL_INPUTS},
  outputs: {weights: {kind: 'weights', doc: 'The merged network.'}},
  computes: 'plain',
  foresee: sameModel,
  async run({params: {weight, models: entries, lambda, normalize, statistics}, inputs}) {
    const models = modelsOf(inputs, inputs.base);
    const weights = settingsOf('weight', {all: weight, entries}, models);
    const rule = {weights, lambda, normalize, elect: false, statistics};
    return {weights: mergeTaskVectors(inputs.base, models, rule, ({delta}) => delta)};
  },
});
