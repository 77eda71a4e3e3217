import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {gathered, merge, networkOf} from './networks.ts';

// What mergekit gives for the same networks and recipes; make_cases.py has asked it.

const network = z.record(z.string(), z.array(z.number()));
const cases = z
  .array(
    z.object({
      what: z.string(),
      stage: z.string(),
      params: z.record(z.string(), z.json()),
      base: network.optional(),
      models: z.array(network),
      expected: network,
    }),
  )
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'cases.json'), 'utf8')));

test.for(cases)('$stage as mergekit: $what', async ({stage, params, base, models, expected}) => {
  const networks = models.map(networkOf);
  const inputs =
    stage === 'merge-slerp'
      ? {a: networkOf(base ?? {}), b: networks[0]}
      : {...(base && {base: networkOf(base)}), weights: gathered(...networks)};
  const found = await merge(stage, params, inputs);
  expect(Object.keys(found)).toEqual(Object.keys(expected).sort());
  for (const [name, values] of Object.entries(expected)) {
    const largest = Math.max(...values.map(Math.abs));
    found[name]?.forEach((value, index) => {
      expect(Math.abs(value - (values[index] ?? Number.NaN)), name).toBeLessThanOrEqual(1e-6 * largest);
    });
  }
});
