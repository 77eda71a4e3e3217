import {z} from 'zod';
import {defineStage} from '../src/stage/define-stage.ts';
import {initialise} from './lib/models/initialise.ts';
import {sameModel} from './lib/models/known-model.ts';
import {loadModel} from './lib/models/registry.ts';

export default defineStage({
  name: 'random-reinit',
  version: 1,
  doc: 'The control of a lottery ticket: the same network with fresh random weights, to be trained under the same mask.',
  params: z.strictObject({seed: z.int().min(0).default(0).describe('Decides the weights.')}),
  inputs: {weights: {kind: 'weights', doc: 'The network whose architecture and preprocessor are kept.'}},
  outputs: {weights: {kind: 'weights', doc: 'The same with random weights.'}},
  computes: 'plain',
  foresee: sameModel,
  run: async ({params, inputs: {weights}}) => ({
    weights: {...weights, tensors: initialise(await loadModel(weights.model), params.seed)},
  }),
});
