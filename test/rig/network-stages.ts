import {z} from 'zod';
import {defineStage} from '../../src/stage/define-stage.ts';

/** A network of one weight, and how far it is from 3 on each split. */
export const network = defineStage({
  name: 'network',
  version: 1,
  doc: 'A network of one weight with its scores.',
  params: z.strictObject({
    weight: z.number().describe('The weight.'),
    splits: z.array(z.string()).default(['validation', 'test']).describe('The splits to score on.'),
  }),
  inputs: {},
  outputs: {
    weights: {kind: 'weights', doc: 'The network.'},
    summary: {kind: 'summary', doc: 'Its scores.', columns: {split: 'utf8', error: 'float64'}},
  },
  computes: 'plain',
  async run({params: {weight, splits}}) {
    const tensors = [{name: 'w', shape: [1], values: Float32Array.of(weight)}];
    return {
      weights: {model: {model: 'one'}, preprocessor: {}, tensors},
      summary: splits.map((split) => ({split, error: Math.abs(weight - 3)})),
    };
  },
});

/** Opens a network, so that what is passed on must be whole. */
export const weigh = defineStage({
  name: 'weigh',
  version: 1,
  doc: 'The weight of a network.',
  params: z.strictObject({}),
  inputs: {weights: {kind: 'weights', doc: 'The network.'}},
  outputs: {summary: {kind: 'summary', doc: 'Its weight.', columns: {value: 'float64'}}},
  computes: 'plain',
  async run({inputs}) {
    return {summary: [{value: inputs.weights.tensors[0]?.values[0] ?? -1}]};
  },
});
