import {expect, test} from 'vitest';
import type {Json} from '../../src/base/json.ts';
import {registry} from '../../src/cli/registry.ts';
import {gathered, merge, mergeVectors, networkOf, vector} from './networks.ts';

const accepts = (stage: string, params: Json): boolean =>
  registry.get(stage)?.params.safeParse(params).success === true;
const [zero, one] = [vector([0, 0]), vector([4, 8])];

test('what a recipe cannot mean is refused before anything runs', () => {
  const data = {name: 'mnist', validation: {n: 100}};
  for (const [stage, params] of [
    ['merge-linear', {weight: 0}],
    ['merge-linear', {weight: []}],
    ['merge-linear', {weight: [0, 0]}],
    [
      'merge-linear',
      {
        weight: [
          {filter: 'attention', value: 0},
          {filter: '*', value: [0, 0]},
        ],
      },
    ],
    [
      'merge-linear',
      {
        weight: 0,
        models: [
          {at: 'a', weight: 0},
          {at: 'b', weight: [0, 0]},
        ],
      },
    ],
    [
      'merge-linear',
      {
        weight: [
          {filter: '*', value: 1},
          {filter: 'attention', value: 1},
        ],
      },
    ],
    ['merge-slerp', {t: [{filter: 'attention', value: 1}]}],
    ['merge-linear', {weight: [{value: 1}, {filter: 'attention', value: 1}]}],
    ['merge-linear', {models: [{at: 'e', weight: 1}]}],
    ['merge-linear', {density: 0.5}],
    ['merge-slerp', {}],
    ['merge-slerp', {t: 1.1}],
    ['merge-slerp', {t: [0, 2]}],
    ['merge-ties', {}],
    ['merge-ties', {density: -0.1}],
    ['merge-ties', {density: [0.1, 0.2], trim: 'network'}],
    ['merge-ties', {density: 0.1, trim: 'network', models: [{at: 'a', density: [1, 2]}]}],
    ['merge-dare', {density: 0.5, rescale: 'l2'}],
    ['merge-greedy-soup', {data, split: 'test'}],
    ['merge-greedy-soup', {data, split: 'train'}],
  ] as const)
    expect(accepts(stage, JSON.parse(JSON.stringify(params))), `${stage} ${JSON.stringify(params)}`).toBe(false);
  expect(accepts('merge-greedy-soup', {data: {name: 'mnist'}, split: 'test'})).toBe(true);
  expect(accepts('merge-linear', {weight: 0, models: [{at: 'a', weight: 1}]})).toBe(true);
});

test('anchors run over the layers that there are; what is in none has the first, a single layer the last', async () => {
  const names = ['embeddings.w', 'layer.2.w', 'layer.7.w', 'layer.10.w', 'classifier.w'];
  const network = (value: number) => networkOf(Object.fromEntries(names.map((name) => [name, [value]])));
  const params = {weight: [0, 1, 4], normalize: false};
  expect(await merge('merge-linear', params, {a: network(1)})).toEqual({
    'embeddings.w': [0],
    'layer.2.w': [0],
    'layer.7.w': [1],
    'layer.10.w': [4],
    'classifier.w': [0],
  });
  expect(await merge('merge-linear', params, {a: networkOf({'layer.0.w': [1]})})).toEqual({'layer.0.w': [4]});
});

test('as in mergekit, * is every tensor, and what a list of filters leaves out has what all networks have', async () => {
  const network = (value: number) => networkOf({'attention.w': [value], 'mlp.w': [value], 'norm.w': [value]});
  const inputs = {a: network(1), b: network(10)};
  const sum = (params: object) => merge('merge-linear', {normalize: false, ...params}, inputs);
  const attention = {filter: 'attention', value: 3};
  const given = {weight: [{filter: 'mlp', value: 5}, {value: 2}], models: [{at: 'a', weight: [attention]}]};
  // a: 3 for attention, else as b: 5 for mlp, 2 for the rest
  expect(await sum(given)).toEqual({'attention.w': [3 + 20], 'mlp.w': [5 + 50], 'norm.w': [2 + 20]});
  expect(await sum({weight: [attention]})).toEqual({'attention.w': [33], 'mlp.w': [11], 'norm.w': [11]});
  const star = await sum({weight: [attention, {filter: '*', value: 2}]});
  expect(star).toEqual({'attention.w': [33], 'mlp.w': [22], 'norm.w': [22]});
  const parse = (weight: readonly object[]) => registry.get('merge-linear')?.params.parse({weight});
  expect(parse([attention, {filter: '*', value: 2}])).toEqual(parse([attention, {value: 2}]));
  await expect(
    sum({
      models: [
        {at: 'a', weight: 0},
        {at: 'b', weight: [0, 0]},
      ],
    }),
  ).rejects.toThrow('Every network has a weight of 0, so nothing is merged.');
});

test('a network is meant by its input or by its axes, and the first entry that has the setting holds', async () => {
  const inputs = {base: zero, a: one, weights: gathered(one, one)};
  const models = [
    {at: {seed: 2}, density: 1},
    {at: {}, weight: 0.25},
    {at: 'a', weight: 3},
  ];
  expect(await mergeVectors('merge-ties', {density: 0.5, weight: 9, models, normalize: false}, inputs)).toEqual([
    0.25 * 4,
    (3 + 0.25 + 0.25) * 8,
  ]);
  const lost = mergeVectors('merge-linear', {models: [{at: {seed: '1'}, weight: 1}]}, inputs);
  await expect(lost).rejects.toThrow('`models` has an entry for seed=1, and no network is there.');
});

test('what cannot be merged is said', async () => {
  await expect(mergeVectors('merge-linear', {}, {})).rejects.toThrow(
    'needs at least one network, and none is connected',
  );
  await expect(mergeVectors('merge-model-stock', {}, {base: zero, a: one})).rejects.toThrow(
    'needs at least 2 networks, and only 1 is connected',
  );
  await expect(mergeVectors('merge-linear', {}, {a: one, b: vector([1])})).rejects.toThrow(
    'b differs from the others in its tensors',
  );
  const other = {...one, model: {model: 'other'}};
  await expect(mergeVectors('merge-slerp', {t: 0.5}, {a: one, b: other})).rejects.toThrow('in its model');
});

test('weights that cancel each other divide nothing', async () => {
  const models = [{at: 'b', weight: -1}];
  expect(await mergeVectors('merge-linear', {models}, {a: one, b: vector([1, 1])})).toEqual([3, 7]);
});

test('changes that cancel each other: the plus is elected, and a model stock has no estimate and stays at the base', async () => {
  const opposed = {base: one, a: vector([5, 8]), b: vector([3, 8])};
  expect(await mergeVectors('merge-ties', {density: 1}, opposed)).toEqual([5, 8]);
  expect(await mergeVectors('merge-model-stock', {}, opposed)).toEqual([4, 8]);
  expect(await mergeVectors('merge-model-stock', {}, {base: one, a: one, b: vector([5, 9])})).toEqual([4, 8]);
});
