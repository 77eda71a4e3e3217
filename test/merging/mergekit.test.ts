import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {gathered, merge, networkOf} from './networks.ts';

// What mergekit gives for the same networks and recipes; test/golden/make_merging.py has asked it.

const network = z.record(z.string(), z.array(z.number()));
const {networks, cases} = z
  .object({
    networks: z.record(z.string(), network),
    cases: z.array(
      z.object({
        what: z.string(),
        stage: z.string(),
        params: z.record(z.string(), z.json()),
        base: z.string().optional(),
        models: z.array(z.string()),
        expected: network,
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '..', 'golden', 'merging.json'), 'utf8')));

const networkCalled = (name: string) => networkOf(networks[name] ?? {});

test.for(cases)('$stage as mergekit: $what', async ({stage, params, base, models, expected}) => {
  const merged = models.map(networkCalled);
  const start = base === undefined ? undefined : networkCalled(base);
  const inputs =
    stage === 'merge-slerp' ? {a: start, b: merged[0]} : {...(start && {base: start}), weights: gathered(...merged)};
  const found = await merge(stage, params, inputs);
  expect(Object.keys(found)).toEqual(Object.keys(expected).sort());
  for (const [name, values] of Object.entries(expected)) {
    const largest = Math.max(...values.map(Math.abs));
    found[name]?.forEach((value, index) => {
      expect(Math.abs(value - (values[index] ?? Number.NaN)), name).toBeLessThanOrEqual(1e-6 * largest);
    });
  }
});
