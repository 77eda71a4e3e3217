import {z} from 'zod';
import {defineStage} from '../src/stage/define-stage.ts';
import {modelStock} from './lib/merging/model-stock.ts';
import {BASE_INPUT, MODEL_INPUTS, mergeTensors, modelsOf} from './lib/merging/models.ts';
import {mergedStatisticsSchema} from './lib/merging/running-statistics.ts';
import {sameModel} from './lib/models/known-model.ts';

export default defineStage({
  name: 'merge-model-stock',
  version: 1,
  doc: 'A point between a base and the mean of its fine-tunes, chosen for each tensor by the angles between their changes (Jang et al. 2024).',
  params: z.strictObject({statistics: mergedStatisticsSchema}),
  inputs: {base: BASE_INPUT, ...MODEL_INPUTS},
  outputs: {weights: {kind: 'weights', doc: 'The merged network.'}},
  computes: 'plain',
  foresee: sameModel,
  async run({params: {statistics}, inputs: {base, ...inputs}}) {
    const models = modelsOf(inputs, base, 2);
    const weights = mergeTensors(base, statistics, (tensor, index) =>
      modelStock(
        tensor,
        models.map(({weights: {tensors}}) => tensors[index]?.values ?? tensor.values),
      ),
    );
    return {weights};
  },
});
