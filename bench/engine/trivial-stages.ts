import {z} from 'zod';
import {defineStage, type Registry} from '../../src/stage/define-stage.ts';

const NUMBER = {kind: 'summary', doc: 'One number.', columns: {value: 'float64'}} as const;
const NUMBER_INPUT = {kind: 'summary', doc: 'One number.'} as const;
const VALUE = z.number().describe('The number to add.');

const start = defineStage({
  name: 'start',
  version: 1,
  doc: 'Gives a number.',
  params: z.strictObject({value: VALUE, modulus: z.number().optional().describe('What to take it modulo.')}),
  inputs: {},
  outputs: {number: NUMBER},
  computes: 'plain',
  run: async ({params: {value, modulus}}) => ({number: [{value: modulus === undefined ? value : value % modulus}]}),
});

const add = defineStage({
  name: 'add',
  version: 1,
  doc: 'Adds to a number, or to two.',
  params: z.strictObject({value: VALUE.default(0), factor: z.number().default(1).describe('Of the value.')}),
  inputs: {to: NUMBER_INPUT, and: {...NUMBER_INPUT, optional: true}},
  outputs: {number: NUMBER},
  computes: 'plain',
  run: async ({params, inputs}) => {
    const sum = Number(inputs.to[0]?.value) + Number(inputs.and?.[0]?.value ?? 0);
    return {number: [{value: sum + params.value * params.factor}]};
  },
});

const between = defineStage({
  name: 'between',
  version: 1,
  doc: 'A point on the way from one number to another.',
  params: z.strictObject({alpha: z.number().describe('Where on the way.')}),
  inputs: {a: NUMBER_INPUT, b: NUMBER_INPUT},
  outputs: {points: {kind: 'points', doc: 'One row.'}},
  computes: 'plain',
  run: async ({params: {alpha}, inputs}) => {
    const loss = alpha * Number(inputs.a[0]?.value) + Number(inputs.b[0]?.value);
    return {points: [{split: 'test', loss, error: 0, accuracy: 100, n: 1}]};
  },
});

const gather = defineStage({
  name: 'gather',
  version: 1,
  doc: 'The sum of the losses of many points.',
  params: z.strictObject({}),
  inputs: {points: {kind: 'points', doc: 'The points.', many: {over: ['alpha']}}},
  outputs: {number: NUMBER},
  computes: 'plain',
  run: async ({inputs}) => ({number: [{value: inputs.points.reduce((sum, {loss}) => sum + Number(loss), 0)}]}),
});

/** Stages that do next to nothing, so that what is measured is the engine. */
export const registry: Registry = new Map([start, add, between, gather].map((stage) => [stage.name, stage]));
