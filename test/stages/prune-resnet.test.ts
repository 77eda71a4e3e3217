import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Weights} from '../../src/artifact/kinds.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import maskRetrain from '../../stages/mask-retrain.ts';
import platonPrune from '../../stages/platon-prune.ts';
import {locatedMnist, preprocessor} from '../training/services.ts';
import {keptOf, maskIn, regrown, runStage, weightsIn} from './run-stage.ts';

const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
const [width, labels] = [2, 2];
const model = bindModel({model: 'resnet', norm: 'batch', depth: 8, width, labels, image_size: 8, num_channels: 1});
const weights: Weights = {model: model.config, preprocessor, tensors: initialise(model, 1)};
const training = {data, length: '12it', lr: 1e-2, batch: 16};
const pruning = {...training, keep: 0.3, interval: 2, warmup: 2, final_warmup: 3};

// He et al. 2016 by hand: three segments of one block of two 3 × 3 convolutions of 2, 4 and 8 channels, and two 1 × 1 shortcuts
const CONVOLUTIONS = [1 * 2, 2 * 2, 2 * 2, 2 * 4, 4 * 4, 4 * 8, 8 * 8].reduce((sum, pairs) => sum + 9 * pairs, 0);
const PRUNABLE = CONVOLUTIONS + 2 * 4 + 4 * 8 + 8 * labels;
// gains and shifts of nine normalisations and the classifier's bias; running statistics are no parameters
const TRAINED = PRUNABLE + 2 * (2 + 2 + 2 + 4 + 4 + 8 + 8 + 4 + 8) + labels;

test('of a residual network convolutions and classifier are pruned, normalisation and its running statistics never', async () => {
  const outputs = await runStage(platonPrune, pruning, {weights});
  const mask = maskIn(outputs);
  const pruned = weightsIn(outputs);
  expect(mask.tensors.map(({name}) => name)).toEqual(
    weights.tensors.map(({name}) => name).filter((name) => /(^conv|\.conv[12]|shortcut\.0|^fc)\.weight$/.test(name)),
  );
  expect(mask.tensors.reduce((sum, {bits}) => sum + bits.length, 0)).toBe(PRUNABLE);
  const kept = Math.round(PRUNABLE * 0.3);
  expect(keptOf(mask)).toBe(kept);
  expect(regrown(mask, pruned)).toBe(0);
  expect(outputs.summary).toEqual([
    expect.objectContaining({kept: kept / PRUNABLE, kept_of_network: (TRAINED - PRUNABLE + kept) / TRAINED}),
  ]);
  const ofNorms = pruned.tensors.filter(({name}) => /bn|shortcut\.1/.test(name));
  expect(ofNorms).toHaveLength(4 * 9);
  for (const {name, values} of ofNorms)
    expect(
      values.every((value) => value !== 0),
      name,
    ).toBe(true);
  const retrained = await runStage(maskRetrain, training, {weights, mask});
  expect(regrown(mask, weightsIn(retrained))).toBe(0);
});

test('running statistics cannot be named as prunable; normalisation can', async () => {
  const refused = runStage(platonPrune, {...pruning, prunable: {include: ['running_var']}}, {weights});
  await expect(refused).rejects.toThrow('No tensor of the network matches "running_var".');
  const outputs = await runStage(platonPrune, {...pruning, keep: 0.5, prunable: {include: ['*.bn1.*']}}, {weights});
  const names = maskIn(outputs).tensors.map(({name}) => name);
  expect(names).toEqual([0, 1, 2].flatMap((block) => [`blocks.${block}.bn1.bias`, `blocks.${block}.bn1.weight`]));
  expect(z.array(z.looseObject({kept: z.number()})).parse(outputs.summary)[0]?.kept).toBe(0.5);
});
