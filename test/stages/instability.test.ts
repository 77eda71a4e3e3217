import fc from 'fast-check';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Row} from '../../src/artifact/kinds.ts';
import instability from '../../stages/instability.ts';
import interpolate from '../../stages/interpolate.ts';
import {barrierRows} from '../../stages/lib/barrier.ts';
import {bootstrap} from '../../stages/lib/bootstrap.ts';
import {locatedMnist, randomMlp, recordingServices} from '../training/services.ts';

const cell = z.union([z.string(), z.number(), z.boolean()]);
const rows = z.array(z.record(z.string(), cell));
const summaries = z.array(
  z.object({split: z.string(), measure: z.string(), value: z.number(), low: z.number(), high: z.number()}),
);

const run = async (examples: readonly Row[], params = {}) => {
  const {summary, ends} = await instability.run({params, inputs: {examples}, services: recordingServices().services});
  return {summary: summaries.parse(summary), ends};
};

/** Examples of one split at 0, ½ and 1: a digit for each picture's prediction; labels are all 0 and a loss is the prediction's square. */
const line = (...predictions: readonly string[]): Row[] =>
  predictions.flatMap((text, place) =>
    [...text].map((digit, example) => {
      const loss = Number(digit) ** 2;
      return {alpha: place / 2, split: 'test', example, label: 0, predicted: Number(digit), loss};
    }),
  );

test('the values are those that barrier gives for the points of the same line, bit for bit', async () => {
  const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
  const alphas = [0, 0.3, 0.5, 1];
  const points: Row[] = [];
  const examples: Row[] = [];
  for (const alpha of alphas) {
    const outputs = await interpolate.run({
      params: {alpha, data, train: 25, examples: true},
      inputs: {a: randomMlp(1), b: randomMlp(2)},
      services: recordingServices().services,
    });
    points.push(...rows.parse(outputs.points).map((row) => ({alpha, ...row})));
    examples.push(...rows.parse(outputs.examples).map((row) => ({alpha, ...row})));
  }
  expect(examples).toHaveLength(alphas.length * (25 + 30));
  const {summary} = await run(examples, {replicates: 50});
  expect(summary).toHaveLength(8);
  for (const barriers of barrierRows(points)) {
    const own = summary.filter(({split}) => split === barriers.split);
    for (const {measure, value} of own) expect(value, measure).toBe(barriers[measure]);
    for (const {low, high} of own) expect(low).toBeLessThanOrEqual(high);
  }
});

test('without `examples: true` interpolate gives none', async () => {
  const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
  const params = {alpha: 0.5, data, train: 0};
  const inputs = {a: randomMlp(1), b: randomMlp(2)};
  const outputs = await interpolate.run({params, inputs, services: recordingServices().services});
  expect(outputs.examples).toBeUndefined();
});

test('the interval of a mean is that of the binomial distribution', async () => {
  const values = Float64Array.from({length: 400}, (_, index) => (index < 120 ? 1 : 0));
  const settings = {replicates: 4000, confidence: 0.95, seed: 7};
  const [mean] = await bootstrap(
    values,
    1,
    settings,
    (means) => [...means],
    async () => {},
  );
  expect(mean?.value).toBe(0.3);
  // quantiles of binomial(400, 0.3): 102 and 138
  expect(mean?.low).toBeCloseTo(102 / 400, 2);
  expect(mean?.high).toBeCloseTo(138 / 400, 2);
});

test('all points of a line are resampled together: what is equal picture by picture has no spread', async () => {
  const {summary} = await run(line('0110100', '0110100', '0110100'), {replicates: 200});
  for (const {value, low, high} of summary) expect([value, low, high]).toEqual([0, 0, 0]);
});

test('the seed decides the resamples, and nothing but them', async () => {
  const examples = line('0000001', '0110010', '0100000');
  const [one, again, other] = await Promise.all([run(examples), run(examples), run(examples, {seed: 1})]);
  expect(again).toEqual(one);
  expect(other.summary).not.toEqual(one.summary);
  expect(other.summary.map(({value}) => value)).toEqual(one.summary.map(({value}) => value));
});

test('pictures on which the ends disagree are counted whether or not one of them is right', async () => {
  const {ends} = await run(line('0123', '0000', '0210'), {replicates: 1});
  // predictions 1 | 2, 2 | 1, 3 | 0; losses 1 | 4, 4 | 1, 9 | 0
  expect(ends).toEqual([
    {
      split: 'test',
      error_a: 75,
      error_b: 50,
      disagreements: 3,
      disagreement: 75,
      loss_distance: expect.closeTo(Math.sqrt(9 + 9 + 81), 12),
      n: 4,
    },
  ]);
});

test('barriers are never below 0, and with unequal ends at least half their difference', () => {
  const value = fc.double({min: 0, max: 100, noNaN: true});
  fc.assert(
    fc.property(fc.array(value, {minLength: 2, maxLength: 9}), (values) => {
      const points = values.map((error, place) => ({
        ...{alpha: place / (values.length - 1), split: 'test', accuracy: 100 - error, n: 1},
        ...{error, loss: error},
      }));
      const [row] = barrierRows(points);
      const half = Math.abs((values.at(-1) ?? 0) - (values[0] ?? 0)) / 2;
      expect(row?.error_instability).toBeGreaterThanOrEqual(half - 1e-9);
      expect(row?.error_barrier_linear).toBeGreaterThanOrEqual(0);
      expect(row?.loss_ratio).toBeGreaterThanOrEqual(1);
    }),
  );
});

test('points on other pictures, a line without an end and no points at all are refused', async () => {
  await expect(run([...line('00', '01'), {...line('0')[0], alpha: 1}])).rejects.toThrow(
    'The point alpha = 1 was evaluated on other test pictures than the first one',
  );
  await expect(run(line('00', '01'))).rejects.toThrow('the points have no alpha = 1');
  await expect(run([])).rejects.toThrow('There are no points.');
});
