import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {gathered, mergeVectors, vector} from './networks.ts';

const numbers = z.array(z.number());
const golden = z
  .object({
    slerp: z.object({a: numbers, b: numbers, 't=.3': numbers}),
    ties: z.object({deltas: z.array(numbers), weights: numbers, density: z.number(), merged_delta: numbers}),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '..', 'golden', 'golden.json'), 'utf8')));

/** Results are float32: one rounding of what was computed in float64. */
const rounded = (values: readonly number[]): number[] => values.map(Math.fround);

test('merge-slerp gives the golden vector', async () => {
  const {a, b, 't=.3': expected} = golden.slerp;
  const found = await mergeVectors('merge-slerp', {t: 0.3}, {a: vector(a), b: vector(b)});
  found.forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 6);
  });
});

test('merge-ties gives the golden merged delta', async () => {
  const {deltas, weights, density, merged_delta} = golden.ties;
  const found = await mergeVectors(
    'merge-ties',
    {density, models: weights.map((weight, index) => ({at: {seed: index + 1}, weight}))},
    {base: vector([0, 0, 0, 0, 0, 0]), weights: gathered(...deltas.map(vector))},
  );
  expect(found.map((value) => Math.fround(value))).toEqual(rounded(merged_delta));
});
