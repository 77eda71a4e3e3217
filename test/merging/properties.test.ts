import fc from 'fast-check';
import {expect, test} from 'vitest';
import type {Json} from '../../src/base/json.ts';
import {gathered, merge, mergeVectors, networkOf, vector} from './networks.ts';

const LENGTH = 6;
const RUNS = {numRuns: 60};

const value = fc.oneof(
  fc.constantFrom(0, -0, 1, -1),
  fc.integer({min: -4000, max: 4000}).map((whole) => whole / 64),
);
const tensor = fc.array(value, {minLength: LENGTH, maxLength: LENGTH});
const tensors = fc.array(tensor, {minLength: 2, maxLength: 4});
const fraction = fc.oneof(fc.constantFrom(0, 1, 1e-9), fc.double({min: 0, max: 1, noNaN: true}));
const weight = fc.oneof(fc.constantFrom(0, 1, -1, 0.5), fc.double({min: -2, max: 2, noNaN: true}));

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);
const near = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((one, index) => Math.abs(one - (b[index] ?? 0)) <= 1e-5 * Math.max(1, Math.abs(one)));

const withWeights = (weights: readonly number[]) => weights.map((own, index) => ({at: {seed: index + 1}, weight: own}));

test('whatever is merged, the result is finite, and a mean of nothing is refused', async () => {
  const property = fc.asyncProperty(
    tensor,
    tensors,
    fc.array(weight, {minLength: 2, maxLength: 2}),
    fraction,
    fc.boolean(),
    async (base, networks, weights, density, flag) => {
      const inputs = {base: vector(base), weights: gathered(...networks.map(vector))};
      const models = withWeights(weights);
      const linear = {models, normalize: flag};
      const nothing = networks.every((_, index) => weights[index] === 0);
      if (nothing)
        await expect(mergeVectors('merge-linear', linear, inputs)).rejects.toThrow('Every network has a weight of 0');
      const recipes: readonly (readonly [string, Json])[] = [
        ...(nothing ? [] : [['merge-linear', linear] as const]),
        ['merge-task-arithmetic', {models, normalize: flag}],
        ['merge-ties', {models, density, normalize: flag}],
        ['merge-ties', {models, density, trim: 'network', lambda: 0}],
        ['merge-dare', {models, density, normalize: flag, elect: !flag}],
        ['merge-dare', {models, density, rescale: flag ? 'none' : 'density'}],
        ['merge-model-stock', {}],
      ];
      for (const [stage, params] of recipes)
        expect((await mergeVectors(stage, params, inputs)).every(Number.isFinite), stage).toBe(true);
      const arc = await mergeVectors('merge-slerp', {t: density}, {a: inputs.base, b: vector(networks[0] ?? base)});
      expect(arc.every(Number.isFinite)).toBe(true);
    },
  );
  await fc.assert(property, RUNS);
});

test('the ends of an arc are its networks, bit for bit', async () => {
  const property = fc.asyncProperty(tensor, tensor, async (a, b) => {
    const inputs = {a: vector(a), b: vector(b)};
    expect(await mergeVectors('merge-slerp', {t: 0}, inputs)).toEqual(a);
    expect(await mergeVectors('merge-slerp', {t: 1}, inputs)).toEqual(b);
  });
  await fc.assert(property, RUNS);
});

test('equal networks merge to themselves, whatever their weights', async () => {
  const property = fc.asyncProperty(tensor, tensor, fc.integer({min: 2, max: 5}), async (base, one, count) => {
    const inputs = {base: vector(base), weights: gathered(...Array.from({length: count}, () => vector(one)))};
    const linear = await mergeVectors('merge-linear', {weight: 0.3}, inputs);
    const ties = await mergeVectors('merge-ties', {density: 1, weight: 0.3}, inputs);
    const stock = await mergeVectors('merge-model-stock', {}, inputs);
    expect([linear, ties, stock].every((found) => near(found, one))).toBe(true);
  });
  await fc.assert(property, RUNS);
});

test('with a density of 1 one network gives back itself, with 0 the base, by every way of thinning', async () => {
  const property = fc.asyncProperty(tensor, tensor, async (base, one) => {
    const inputs = {base: vector(base), a: vector(one)};
    const recipes: readonly (readonly [string, JsonRecord])[] = [
      ['merge-ties', {}],
      ['merge-ties', {trim: 'network'}],
      ['merge-dare', {}],
      ['merge-dare', {rescale: 'density', elect: true}],
    ];
    expect(same(await mergeVectors('merge-task-arithmetic', {}, inputs), one)).toBe(true);
    for (const [stage, params] of recipes) {
      expect(same(await mergeVectors(stage, {...params, density: 1}, inputs), one), stage).toBe(true);
      expect(same(await mergeVectors(stage, {...params, density: 0}, inputs), base), stage).toBe(true);
    }
  });
  await fc.assert(property, RUNS);
});
type JsonRecord = {readonly [name: string]: Json};

test('the order of networks decides nothing', async () => {
  const property = fc.asyncProperty(tensor, tensors, fraction, async (base, networks, density) => {
    const inputs = (order: readonly (readonly number[])[]) => ({
      base: vector(base),
      weights: gathered(...order.map(vector)),
    });
    for (const [stage, params] of [
      ['merge-linear', {}],
      ['merge-ties', {density}],
      ['merge-model-stock', {}],
    ] as const) {
      const forward = await mergeVectors(stage, params, inputs(networks));
      expect(near(await mergeVectors(stage, params, inputs(networks.toReversed())), forward), stage).toBe(true);
    }
  });
  await fc.assert(property, RUNS);
});

test('trimming a whole network is trimming it as one tensor', async () => {
  const property = fc.asyncProperty(tensor, tensors, fraction, async (base, networks, density) => {
    const halves = (values: readonly number[]) => networkOf({x: values.slice(0, 2), y: values.slice(2)});
    const parts = await merge(
      'merge-ties',
      {density, trim: 'network'},
      {base: halves(base), weights: gathered(...networks.map(halves))},
    );
    const whole = await mergeVectors(
      'merge-ties',
      {density},
      {base: vector(base), weights: gathered(...networks.map(vector))},
    );
    expect(same([...(parts.x ?? []), ...(parts.y ?? [])], whole)).toBe(true);
  });
  await fc.assert(property, RUNS);
});

test('renumbering the weights of all networks alike renumbers the merged one', async () => {
  // magnitudes that differ: of equal ones the first stay, so renumbering those decides what is kept
  const distinct = fc.uniqueArray(fc.integer({min: 1, max: 4000}), {minLength: LENGTH, maxLength: LENGTH});
  const signs = fc.array(fc.constantFrom(1, -1), {minLength: LENGTH, maxLength: LENGTH});
  const network = fc
    .tuple(distinct, signs)
    .map(([sizes, of]) => sizes.map((size, index) => (size * (of[index] ?? 1)) / 64));
  const places = Array.from({length: LENGTH}, (_, index) => index);
  const order = fc.shuffledSubarray(places, {minLength: LENGTH, maxLength: LENGTH});
  const property = fc.asyncProperty(network, network, order, fraction, async (a, b, order, at) => {
    const renumbered = (of: readonly number[]) => order.map((index) => of[index] ?? Number.NaN);
    const base = vector(places.map(() => 0));
    for (const [stage, params] of [
      ['merge-linear', {weight: 0.3}],
      ['merge-slerp', {t: at}],
      ['merge-task-arithmetic', {lambda: 0.4}],
      ['merge-ties', {density: at}],
      ['merge-model-stock', {}],
    ] as const) {
      const inputs = (of: (values: readonly number[]) => readonly number[]) =>
        stage === 'merge-slerp'
          ? {a: vector(of(a)), b: vector(of(b))}
          : {base, weights: gathered(vector(of(a)), vector(of(b)))};
      const merged = await mergeVectors(
        stage,
        params,
        inputs((values) => values),
      );
      expect(near(await mergeVectors(stage, params, inputs(renumbered)), renumbered(merged)), stage).toBe(true);
    }
  });
  await fc.assert(property, RUNS);
});
