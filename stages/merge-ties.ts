import {z} from 'zod';
import type {Weights} from '../src/artifact/kinds.ts';
import {defineStage} from '../src/stage/define-stage.ts';
import {BASE_INPUT, type MergedModel, MODEL_INPUTS, modelsOf} from './lib/merging/models.ts';
import {settingsOf, thinned} from './lib/merging/recipe.ts';
import {mergedStatisticsSchema} from './lib/merging/running-statistics.ts';
import {settingAt} from './lib/merging/setting.ts';
import {lambdaSchema, mergeTaskVectors} from './lib/merging/task-vectors.ts';
import {deltaOf, keptOf, largest} from './lib/merging/thin.ts';
import {sameModel} from './lib/models/known-model.ts';

/** A network's changes as one vector, and which of them are its largest. */
function largestOfNetwork(base: Weights, {weights}: MergedModel, density: number): readonly Uint8Array[] {
  const deltas = base.tensors.map(({values}, index) => deltaOf(weights.tensors[index]?.values ?? values, values));
  const all = new Float64Array(deltas.reduce((sum, {length}) => sum + length, 0));
  const offsets = deltas.map((_, index) => deltas.slice(0, index).reduce((sum, {length}) => sum + length, 0));
  deltas.forEach((delta, index) => {
    all.set(delta, offsets[index]);
  });
  const bits = largest(all, density);
  return deltas.map(({length}, index) => bits.subarray(offsets[index], (offsets[index] ?? 0) + length));
}

export default defineStage({
  name: 'merge-ties',
  version: 1,
  doc: 'Adds to a base what fine-tuning changed most, where the networks agree on the sign (TIES, Yadav et al. 2023).',
  params: z
    .strictObject({
      ...thinned,
      trim: z
        .enum(['tensor', 'network'])
        .default('tensor')
        .describe(
          'Whether the largest changes are found in each tensor, as in mergekit, or in all of a network, as in the paper.',
        ),
      lambda: lambdaSchema,
      normalize: z
        .boolean()
        .default(true)
        .describe('Whether each sum is divided by the weights of the networks that agree.'),
      statistics: mergedStatisticsSchema,
    })
    .refine(
      ({trim, density, models}) =>
        trim === 'tensor' || [density, ...models.map((entry) => entry.density ?? 0)].every(Number.isFinite),
      {error: 'With `trim: network` a density is one number.', path: ['density']},
    ),
  inputs: {base: BASE_INPUT, ...MODEL_INPUTS},
  outputs: {weights: {kind: 'weights', doc: 'The merged network.'}},
  computes: 'plain',
  foresee: sameModel,
  async run({params, inputs: {base, ...inputs}}) {
    const {weight, density, models: entries, trim, lambda, normalize, statistics} = params;
    const models = modelsOf(inputs, base);
    const weights = settingsOf('weight', {all: weight, entries}, models);
    const densities = settingsOf('density', {all: density, entries}, models);
    const wholes =
      trim === 'network'
        ? models.map((model, index) => largestOfNetwork(base, model, settingAt(densities[index] ?? 1, '', 0)))
        : undefined;
    const merged = mergeTaskVectors(base, models, {weights, lambda, normalize, elect: true, statistics}, (change) => {
      const {delta, name, tensor, model, position} = change;
      const own = wholes?.[model]?.[tensor];
      return keptOf(delta, own ?? largest(delta, settingAt(densities[model] ?? 1, name, position)));
    });
    return {weights: merged};
  },
});
