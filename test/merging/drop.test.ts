import {expect, test} from 'vitest';
import {gathered, merge, mergeVectors, networkOf, vector} from './networks.ts';

const SIZE = 4000;
const zeros = vector(Array.from({length: SIZE}, () => 0));
const ones = vector(Array.from({length: SIZE}, () => 1));
const kept = (values: readonly number[]): number => values.filter((value) => value !== 0).length;

test('DARE keeps a change with its probability, and what is kept makes up for the rest', async () => {
  for (const density of [0.1, 0.5, 0.9]) {
    const inputs = {base: zeros, a: ones};
    const plain = await mergeVectors('merge-dare', {density, rescale: 'none'}, inputs);
    // six standard deviations of a binomial count
    expect(Math.abs(kept(plain) - SIZE * density)).toBeLessThan(6 * Math.sqrt(SIZE * density * (1 - density)));
    const l1 = await mergeVectors('merge-dare', {density}, inputs);
    expect(Math.abs(l1.reduce((sum, value) => sum + value, 0) / SIZE - 1)).toBeLessThan(1e-6);
    const published = await mergeVectors('merge-dare', {density, rescale: 'density'}, inputs);
    expect(published).toEqual(plain.map((value) => Math.fround(value / density)));
  }
});

test('a network, a tensor and a seed have draws of their own, and another network leaves them as they are', async () => {
  const pair = (of: typeof ones) =>
    networkOf({x: [...(of.tensors[0]?.values ?? [])], y: [...(of.tensors[0]?.values ?? [])]});
  const params = {density: 0.5, rescale: 'none', models: [{at: {seed: 2}, weight: 2}]};
  const base = pair(zeros);
  const one = await merge('merge-dare', {...params, models: []}, {base, weights: gathered(pair(ones))});
  const two = await merge('merge-dare', params, {base, weights: gathered(pair(ones), pair(ones))});
  expect(one.x).not.toEqual(one.y);
  expect(two.x?.map((value) => value % 2)).toEqual(one.x);
  expect(two.x?.map((value) => (value >= 2 ? 1 : 0))).not.toEqual(one.x);
  const other = await merge('merge-dare', {...params, models: [], seed: 1}, {base, weights: gathered(pair(ones))});
  expect(other.x).not.toEqual(one.x);
});
