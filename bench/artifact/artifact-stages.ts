import {z} from 'zod';
import {defineStage, type Registry} from '../../src/stage/define-stage.ts';
import select from '../../stages/select.ts';

const give = defineStage({
  name: 'give',
  version: 1,
  doc: 'Gives weights of a size.',
  params: z.strictObject({
    bytes: z.int().min(4).describe('How large they are.'),
    value: z.number().describe('Of each element, and the score.'),
  }),
  inputs: {},
  outputs: {
    weights: {kind: 'weights', doc: 'One tensor.'},
    summary: {kind: 'summary', doc: 'The score.', columns: {score: 'float64'}},
  },
  computes: 'plain',
  async run({params: {bytes, value}}) {
    const values = new Float32Array(bytes / 4).fill(value);
    const tensors = [{name: 'all', shape: [values.length], values}];
    return {weights: {model: {}, preprocessor: {}, tensors}, summary: [{score: value}]};
  },
});

const take = defineStage({
  name: 'take',
  version: 1,
  doc: 'Takes weights, and says how many there are.',
  params: z.strictObject({}),
  inputs: {weights: {kind: 'weights', doc: 'Any.'}},
  outputs: {summary: {kind: 'summary', doc: 'Their number.', columns: {count: 'float64'}}},
  computes: 'plain',
  async run({inputs}) {
    return {summary: [{count: inputs.weights.tensors.reduce((sum, {values}) => sum + values.length, 0)}]};
  },
});

export const artifactStages: Registry = new Map([give, take, select].map((stage) => [stage.name, stage]));
