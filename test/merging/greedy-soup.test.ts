import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Weights} from '../../src/artifact/kinds.ts';
import type {Json} from '../../src/base/json.ts';
import {registry} from '../../src/cli/registry.ts';
import {locatedMnist, randomMlp, recordingServices} from '../training/services.ts';
import {gathered} from './networks.ts';

const data = await locatedMnist({limit: {train: 400, test: 30}, validation: {n: 200, seed: 1}});

async function run(name: string, params: Json, inputs: object) {
  const stage = registry.get(name);
  if (!stage) throw new Error(`There is no stage ${name}`);
  return stage.run({params, inputs: {...inputs}, services: recordingServices().services});
}
const accuracyOf = async (weights: unknown): Promise<number> => {
  const {summary} = await run('evaluate', {data, split: 'validation'}, {weights});
  return z.array(z.looseObject({accuracy: z.number()})).parse(summary)[0]?.accuracy ?? Number.NaN;
};
const rows = z.array(
  z.object({
    network: z.string(),
    split: z.literal('validation'),
    accuracy: z.number(),
    soup_accuracy: z.number(),
    kept: z.boolean(),
    ingredients: z.number(),
  }),
);
const isWeights = (found: unknown): found is Weights =>
  typeof found === 'object' && found !== null && 'tensors' in found;
const {weights: trained} = await run(
  'finetune',
  {data, length: '40it', lr: 5e-3, batch: 16},
  {weights: randomMlp(1, 10, [16])},
);
if (!isWeights(trained)) throw new Error('finetune gave no weights');

/** The trained network with a liking for one class; the mean of several likes each less, and errs less. */
const biased = (label: number, by: number): Weights => ({
  ...trained,
  tensors: trained.tensors.map(({name, shape, values}) => ({
    name,
    shape,
    values: values.map((value, index) => (name === 'classifier.bias' && index === label ? value + by : value)),
  })),
});
const tuned = [biased(0, 3), biased(1, 2.5), biased(2, 100), biased(3, 2)];

test('each network in turn is tried on validation, the best first, and stays when it helps', async () => {
  const own = await Promise.all(tuned.map(accuracyOf));
  const outputs = await run('merge-greedy-soup', {data}, {weights: gathered(...tuned)});
  const summary = rows.parse(outputs.summary);
  const order = summary.map(({network}) => Number(/\d+/.exec(network)) - 1);
  expect(order.toSorted()).toEqual([0, 1, 2, 3]);
  let members: readonly Weights[] = [];
  let best = Number.NEGATIVE_INFINITY;
  for (const [place, row] of summary.entries()) {
    expect(row.accuracy).toBe(own[order[place] ?? -1]);
    expect(row.accuracy).toBeLessThanOrEqual(summary[place - 1]?.accuracy ?? 100);
    const tried = [...members, ...tuned.filter((_, index) => index === order[place])];
    const mean = await run('merge-linear', {}, {weights: gathered(...tried)});
    expect(row.soup_accuracy).toBeCloseTo(await accuracyOf(mean.weights), 6);
    expect(row.kept).toBe(row.soup_accuracy > best);
    if (row.kept) [members, best] = [tried, row.soup_accuracy];
    expect(row.ingredients).toBe(members.length);
  }
  expect(members.length).toBeGreaterThan(1);
  expect(members.length).toBeLessThan(4);
  expect(await accuracyOf(outputs.weights)).toBeCloseTo(best, 6);
});

test('of equal networks the later comes first, and the other one does not help', async () => {
  const [one] = tuned;
  const outputs = await run('merge-greedy-soup', {data}, {a: one, b: one});
  expect(rows.parse(outputs.summary)).toMatchObject([
    {network: 'b', kept: true, ingredients: 1},
    {network: 'a', kept: false, ingredients: 1},
  ]);
  expect(outputs.weights).toEqual(one);
});

test('without held-out pictures it says what to do', async () => {
  const bare = await locatedMnist({limit: {train: 400, test: 30}});
  await expect(run('merge-greedy-soup', {data: bare}, {a: tuned[0]})).rejects.toThrow('has no split validation');
});
