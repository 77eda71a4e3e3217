import {z} from 'zod';
import {defineStage, StageError} from '../src/stage/define-stage.ts';
import {linear} from './lib/merging/linear.ts';
import {MODEL_INPUTS, mergeTensors, modelsOf} from './lib/merging/models.ts';
import {settingsOf, weighted} from './lib/merging/recipe.ts';
import {mergedStatisticsSchema} from './lib/merging/running-statistics.ts';
import {isZero, settingAt} from './lib/merging/setting.ts';
import {sameModel} from './lib/models/known-model.ts';

export default defineStage({
  name: 'merge-linear',
  version: 1,
  doc: 'The weighted mean of networks; with equal weights a uniform soup (Wortsman et al. 2022).',
  params: z
    .strictObject({
      ...weighted,
      normalize: z.boolean().default(true).describe('Whether the weights are divided by their sum.'),
      statistics: mergedStatisticsSchema,
    })
    .refine(({weight, models}) => !isZero(weight) || models.some((entry) => !isZero(entry.weight)), {
      error: 'With weights of 0 nothing is merged.',
      path: ['weight'],
    }),
  inputs: MODEL_INPUTS,
  outputs: {weights: {kind: 'weights', doc: 'The merged network.'}},
  computes: 'plain',
  foresee: sameModel,
  async run({params, inputs}) {
    const models = modelsOf(inputs);
    const settings = settingsOf('weight', {all: params.weight, entries: params.models}, models);
    if (settings.every(isZero)) {
      throw new StageError(
        'Every network has a weight of 0, so nothing is merged.',
        'Give one of them another weight.',
      );
    }
    const [first] = models;
    if (!first) throw new Error('Internal error: nothing to merge');
    const weights = mergeTensors(first.weights, params.statistics, ({name}, index, position) => {
      const tensors = models.map(({weights: {tensors: own}}) => own[index]?.values ?? new Float32Array());
      const factors = settings.map((setting) => settingAt(setting, name, position));
      return linear(tensors, factors, params.normalize);
    });
    return {weights};
  },
});
