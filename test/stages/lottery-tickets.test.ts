import {expect, test} from 'vitest';
import type {Mask, Weights} from '../../src/artifact/kinds.ts';
import imp from '../../stages/imp.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {choosePrunable, describePrunable} from '../../stages/lib/pruning/prunable.ts';
import {layoutOf} from '../../stages/lib/training/parameter-layout.ts';
import magnitudePrune from '../../stages/magnitude-prune.ts';
import maskRetrain from '../../stages/mask-retrain.ts';
import randomReinit from '../../stages/random-reinit.ts';
import {locatedMnist, randomMlp} from '../training/services.ts';
import {keptOf, maskIn, regrown, runStage, weightsIn} from './run-stage.ts';

const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
const weights = randomMlp(1, 2, [8, 6]);
const PRUNABLE = 784 * 8 + 8 * 6;
const training = {data, length: '12it', lr: 1e-2, batch: 16};
const rule = {rule: 'open_lth', fraction: 0.2};
const tensorOf = (of: Weights, name: string) => of.tensors.find((tensor) => tensor.name === name)?.values;

test('a level is training from the given weights under the mask before it, then a round of pruning of what came out', async () => {
  const first = await runStage(imp, {...training, prune: rule}, {weights});
  const again = await runStage(magnitudePrune, rule, {weights: weightsIn(first)});
  expect(maskIn(first)).toEqual(maskIn(again));
  // n = ceil(0.2 · N), and one more
  const left = PRUNABLE - Math.ceil(0.2 * PRUNABLE) - 1;
  expect(keptOf(maskIn(first))).toBe(left);
  expect(first.summary).toEqual([
    expect.objectContaining({split: 'test', kept: 1, kept_after: left / PRUNABLE, prunable: PRUNABLE}),
  ]);
  const mask = maskIn(first);
  const second = await runStage(imp, {...training, prune: rule}, {weights, mask});
  const retrained = await runStage(maskRetrain, training, {weights, mask});
  expect(weightsIn(second)).toEqual(weightsIn(retrained));
  expect(regrown(mask, weightsIn(second))).toBe(0);
  expect(maskIn(second)).toEqual(maskIn(await runStage(magnitudePrune, rule, {weights: weightsIn(second), mask})));
  expect(keptOf(maskIn(second))).toBe(left - Math.ceil(0.2 * left) - 1);
  expect(second.summary).toEqual([expect.objectContaining({kept: left / PRUNABLE})]);
});

test('of LeNet-300-100 as many stay, round after round, as under open_lth, which counts the classifier and ignores it', async () => {
  const lenet = randomMlp(1, 10, [300, 100]);
  const counted = {
    ...rule,
    ignore: ['classifier.weight'],
    prunable: {include: ['fc1.weight', 'fc2.weight', 'classifier.weight']},
  };
  let mask: Mask | undefined;
  const kept: number[] = [];
  for (let round = 0; round < 4; round++) {
    mask = maskIn(await runStage(magnitudePrune, counted, {weights: lenet, mask}));
    kept.push(keptOf(mask));
  }
  // of its own sparse_global.py, on its own mnist_lenet_300_100 with the default_hparams of that
  expect(kept).toEqual([212_959, 170_366, 136_291, 109_031]);
  expect(mask?.tensors.find(({name}) => name === 'classifier.weight')?.bits.every((bit) => bit === 1)).toBe(true);
});

test('a connected head is taken as it is, and the body is rewound', async () => {
  const head = randomMlp(7, 2, [8, 6]);
  const outputs = await runStage(imp, {...training, prune: rule, length: '0it'}, {weights, head});
  for (const name of ['classifier.weight', 'classifier.bias'])
    expect(tensorOf(weightsIn(outputs), name)).toEqual(tensorOf(head, name));
  for (const name of ['fc1.weight', 'fc1.bias', 'fc2.weight'])
    expect(tensorOf(weightsIn(outputs), name)).toEqual(tensorOf(weights, name));
});

test('prunable by pattern: parts of names, globs, and what is excluded', async () => {
  const masked = async (prunable: object) =>
    maskIn(await runStage(magnitudePrune, {rule: 'exact', keep: 0.5, prunable}, {weights})).tensors.map(
      (of) => of.name,
    );
  expect(await masked({include: ['fc1']})).toEqual(['fc1.bias', 'fc1.weight']);
  expect(await masked({include: ['*.weight'], exclude: ['fc1']})).toEqual(['classifier.weight', 'fc2.weight']);
  expect(await masked({exclude: ['fc1']})).toEqual(['fc2.weight']);
  await expect(masked({include: ['fc2.wieght']})).rejects.toMatchObject({
    message: 'No tensor of the network matches "fc2.wieght".',
    hint: 'Did you mean "fc2.weight"?',
  });
  await expect(masked({exclude: ['fc']})).rejects.toThrow('excludes every one');
});

test('of a ViT-B/16 the body’s matrices can be pruned, or what PLATON’s list of names means there', () => {
  const {parameters} = bindModel({model: 'vit', labels: 10});
  const sizeWith = (include?: readonly string[]) =>
    layoutOf(choosePrunable(parameters, include && {include: [...include]})).prunable;
  expect(sizeWith()).toBe(84_934_656);
  const released = ['attention.output.dense', 'output.dense', 'intermediate.dense'];
  expect(sizeWith(['attention.attention', ...released])).toBe(85_017_600);
  // what that list, made for BERT, finds in a ViT
  expect(sizeWith(released)).toBe(63_700_992 + 55_296);
  expect(() => sizeWith(['attention.self', ...released])).toThrow('No tensor of the network matches "attention.self".');
  expect(describePrunable(layoutOf(parameters))).toBe(
    '84,934,656 of 85,806,346 weights can be pruned, in 72 of 200 tensors.',
  );
});

test('a mask of what cannot be pruned is refused', async () => {
  const choice = {rule: 'exact', keep: 0.5};
  const mask = maskIn(await runStage(magnitudePrune, {...choice, prunable: {include: ['classifier']}}, {weights}));
  await expect(runStage(magnitudePrune, choice, {weights, mask})).rejects.toThrow(
    'The mask names classifier.bias, which cannot be pruned here.',
  );
});

test('random-reinit keeps the architecture, and its seed decides all weights', async () => {
  const fresh = weightsIn(await runStage(randomReinit, {seed: 5}, {weights}));
  expect(fresh).toEqual(randomMlp(5, 2, [8, 6]));
  expect(fresh).not.toEqual(weights);
});
