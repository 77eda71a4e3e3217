import * as tf from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import maskRetrain from '../../stages/mask-retrain.ts';
import platonPrune from '../../stages/platon-prune.ts';
import randomMask, {shuffledMask} from '../../stages/random-mask.ts';
import {locatedMnist, randomMlp} from '../training/services.ts';
import {countOf, keptOf, maskIn, regrown, runStage, weightsIn} from './run-stage.ts';

const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
const weights = randomMlp(1, 2, [8, 6]);
const training = {data, length: '40it', lr: 1e-2, batch: 16};

const PRUNABLE = 784 * 8 + 8 * 6;
test.each([0.2, 0.05, 1])('platon-prune keeps exactly round(N · %d) of the prunable weights', async (keep) => {
  const before = tf.memory().numTensors;
  const outputs = await runStage(platonPrune, {...training, keep, interval: 5}, {weights});
  const mask = maskIn(outputs);
  expect(mask.tensors.map(({name}) => name)).toEqual(['fc1.weight', 'fc2.weight']);
  expect(keptOf(mask)).toBe(Math.round(PRUNABLE * keep));
  expect(regrown(mask, weightsIn(outputs))).toBe(0);
  expect(outputs.summary).toEqual([
    expect.objectContaining({split: 'test', kept: Math.round(PRUNABLE * keep) / PRUNABLE}),
  ]);
  expect(outputs.metrics).toHaveLength(40);
  expect(tf.memory().numTensors).toBe(before);
});

test('keep and sparsity are one parameter', () => {
  const parse = (choice: object) => platonPrune.params.safeParse({...training, ...choice});
  expect(parse({sparsity: 0.8}).data).toEqual(parse({keep: 0.2}).data);
  expect(parse({sparsity: 0.95}).data).toMatchObject({keep: 0.05});
  expect(platonPrune.params.parse(parse({sparsity: 0.9, warmup: 5}).data)).toEqual(
    parse({keep: 0.1, warmup: '5it'}).data,
  );
  for (const wrong of [{}, {keep: 0.2, sparsity: 0.8}, {keep: 0}, {keep: 1.5}, {sparsity: 1}])
    expect(parse(wrong).success).toBe(false);
});

test('a schedule without room to prune is refused', async () => {
  await expect(
    runStage(platonPrune, {...training, keep: 0.5, warmup: 20, final_warmup: '20it'}, {weights}),
  ).rejects.toThrow('A warm-up of 20 and a final phase of 20 steps leave no step of 40 to prune in.');
});

test('metrics follow the cubic schedule: dense at first and between rounds, the target from the final phase on', async () => {
  const {metrics} = await runStage(
    platonPrune,
    {...training, keep: 0.1, interval: 5, warmup: 10, final_warmup: 10},
    {weights},
  );
  const rows = z.array(z.looseObject({step: z.number(), kept: z.number()})).parse(metrics);
  const kept = rows.map((row) => row.kept);
  expect(kept.slice(0, 14).every((value) => value === 1)).toBe(true);
  expect(kept[14]).toBeCloseTo(0.1 + 0.9 * 0.75 ** 3, 3);
  expect(kept[15]).toBe(1);
  expect(kept.slice(30).every((value) => value === Math.round(PRUNABLE * 0.1) / PRUNABLE)).toBe(true);
});

test('mask-retrain starts from the given weights, keeps the mask exactly, and moves the rest', async () => {
  const mask = maskIn(await runStage(platonPrune, {...training, keep: 0.2}, {weights}));
  const outputs = await runStage(maskRetrain, {...training, length: '25it'}, {weights, mask});
  expect(regrown(mask, weightsIn(outputs))).toBe(0);
  expect(outputs.summary).toEqual([expect.objectContaining({kept: Math.round(PRUNABLE * 0.2) / PRUNABLE})]);
  const again = await runStage(maskRetrain, {...training, length: '25it'}, {weights, mask});
  expect(weightsIn(again)).toEqual(weightsIn(outputs));
  const wrong = {tensors: [{name: 'fc9.weight', shape: [2], bits: Uint8Array.of(1, 0)}]};
  await expect(runStage(maskRetrain, training, {weights, mask: wrong})).rejects.toThrow(
    'The mask does not fit the weights: fc9.weight [2] is not among the weights.',
  );
});

test('random-mask has the same counts per tensor, at places that its seed alone decides', async () => {
  const mask = maskIn(await runStage(platonPrune, {...training, keep: 0.3}, {weights}));
  const random = maskIn(await runStage(randomMask, {seed: 1}, {mask}));
  expect(random.tensors.map(({name, bits}) => [name, countOf(bits)])).toEqual(
    mask.tensors.map(({name, bits}) => [name, countOf(bits)]),
  );
  expect(random).not.toEqual(mask);
  expect(shuffledMask(mask, 1)).toEqual(random);
  expect(shuffledMask(mask, 2)).not.toEqual(random);
  // half overlap would be copying: at density d a random mask meets d of another's weights
  const [first, other] = [mask.tensors[0]?.bits ?? new Uint8Array(0), random.tensors[0]?.bits ?? new Uint8Array(0)];
  const density = countOf(first) / first.length;
  const shared = first.filter((bit, index) => bit === 1 && other[index] === 1).length / countOf(first);
  expect(Math.abs(shared - density)).toBeLessThan(0.06);
});
