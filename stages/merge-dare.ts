import {z} from 'zod';
import {canonicalJson} from '../src/base/canonical-json.ts';
import {defineStage} from '../src/stage/define-stage.ts';
import {drop, RESCALES, rescale} from './lib/merging/drop.ts';
import {BASE_INPUT, MODEL_INPUTS, modelsOf} from './lib/merging/models.ts';
import {settingsOf, thinned} from './lib/merging/recipe.ts';
import {mergedStatisticsSchema} from './lib/merging/running-statistics.ts';
import {settingAt} from './lib/merging/setting.ts';
import {lambdaSchema, mergeTaskVectors} from './lib/merging/task-vectors.ts';
import {sameModel} from './lib/models/known-model.ts';

export default defineStage({
  name: 'merge-dare',
  version: 1,
  doc: 'Adds to a base a random part of what fine-tuning changed, rescaled (DARE, Yu et al. 2024).',
  params: z.strictObject({
    ...thinned,
    seed: z.int().min(0).default(0).describe('Decides which changes are dropped.'),
    rescale: z
      .enum(RESCALES)
      .default('l1')
      .describe(
        'l1: to the norm of all changes of the tensor, as in mergekit; density: by 1 / density, as in the paper.',
      ),
    elect: z.boolean().default(false).describe('Whether only changes of the elected sign are added, as in TIES.'),
    lambda: lambdaSchema,
    normalize: z
      .boolean()
      .default(false)
      .describe('Whether the sum is divided by the sum of the weights, with `elect` of those that agree.'),
    statistics: mergedStatisticsSchema,
  }),
  inputs: {base: BASE_INPUT, ...MODEL_INPUTS},
  outputs: {weights: {kind: 'weights', doc: 'The merged network.'}},
  computes: 'plain',
  foresee: sameModel,
  async run({params, inputs: {base, ...inputs}}) {
    const {weight, density, models: entries, seed, lambda, normalize, elect, statistics} = params;
    const models = modelsOf(inputs, base);
    const weights = settingsOf('weight', {all: weight, entries}, models);
    const densities = settingsOf('density', {all: density, entries}, models);
    const identities = models.map(({at}) => canonicalJson(at));
    const merged = mergeTaskVectors(base, models, {weights, lambda, normalize, elect, statistics}, (change) => {
      const {delta, name, model, position} = change;
      const fraction = settingAt(densities[model] ?? 1, name, position);
      const kept = drop(delta, fraction, {seed, model: identities[model] ?? '', tensor: name});
      return rescale(kept, delta, fraction, params.rescale);
    });
    return {weights: merged};
  },
});
