import * as tf from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Json} from '../../src/base/json.ts';
import type {OutputsByName} from '../../src/stage/define-stage.ts';
import finetune from '../../stages/finetune.ts';
import gradualPrune from '../../stages/gradual-prune.ts';
import magnitudePrune from '../../stages/magnitude-prune.ts';
import maskRetrain from '../../stages/mask-retrain.ts';
import platonPrune from '../../stages/platon-prune.ts';
import randomMask, {shuffledMask} from '../../stages/random-mask.ts';
import {locatedMnist, randomMlp, recordingServices} from '../training/services.ts';
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
    runStage(platonPrune, {...training, length: '10ep', keep: 0.5, warmup: 20, final_warmup: '20it'}, {weights}),
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

const rowSchema = z.array(
  z.looseObject({step: z.number(), ratio: z.number(), threshold: z.number(), kept: z.number(), regrown: z.number()}),
);
const bitsIn = (outputs: OutputsByName): readonly number[] => maskIn(outputs).tensors.flatMap(({bits}) => [...bits]);

test('gradual-prune by PLATON’s score is platon-prune', async () => {
  const choice = {...training, keep: 0.2, interval: 5};
  const one = await runStage(platonPrune, {...choice, traces: true}, {weights});
  const other = await runStage(gradualPrune, {...choice, score: 'platon'}, {weights});
  for (const name of ['weights', 'mask', 'metrics', 'traces', 'evals']) expect(other[name]).toEqual(one[name]);
  expect(other.summary).toEqual([expect.objectContaining({kept: 0.2, prunable: PRUNABLE})]);
  const betas = {name: 'platon', beta1: 0.5, beta2: 0.5};
  const changed = await runStage(gradualPrune, {...choice, score: betas}, {weights});
  const untraced = await runStage(platonPrune, {...choice, beta1: 0.5, beta2: 0.5}, {weights});
  expect(untraced.traces).toBeUndefined();
  expect(changed.mask).toEqual(untraced.mask);
  expect(changed.mask).not.toEqual(one.mask);
});

test('traces have a row for each round, with the weights that came back', async () => {
  const choice = {...training, keep: 0.1, interval: 4, warmup: 10, final_warmup: 10, score: 'movement'};
  const outputs = await runStage(gradualPrune, choice, {weights});
  const traces = rowSchema.parse(outputs.traces);
  expect(traces.map(({step}) => step)).toEqual([12, 16, 20, 24, 28, 31, 32, 36, 40]);
  for (const {step, ratio, kept} of traces) {
    expect(ratio).toBeCloseTo(step > 30 ? 0.1 : 0.1 + 0.9 * (1 - (step - 10) / 20) ** 3, 12);
    expect(kept).toBe(Math.round(PRUNABLE * ratio) / PRUNABLE);
  }
  expect(traces[0]?.regrown).toBe(0);
  expect(traces.some(({regrown}) => regrown > 0)).toBe(true);
  const metrics = z.array(z.looseObject({step: z.number()})).parse(outputs.metrics);
  const {ratio: _ratio, regrown: _regrown, ...last} = traces.at(-1) ?? {};
  expect(metrics.at(-1)).toEqual(last);
});

test('magnitude keeps the largest of what training gave, up to the last round', async () => {
  const choice = {...training, keep: 0.3, interval: 40, warmup: 1, final_warmup: 0, score: 'magnitude'};
  const outputs = await runStage(gradualPrune, choice, {weights});
  // the only round comes after the last step, so what stands before it is plain training
  const trained = weightsIn(await runStage(finetune, training, {weights}));
  const mask = maskIn(await runStage(magnitudePrune, {rule: 'exact', keep: 0.3}, {weights: trained}));
  expect(maskIn(outputs)).toEqual(mask);
});

test('movement keeps what training has moved away from 0', async () => {
  const choice = {...training, length: '1it', keep: 0.3, interval: 1, warmup: 0, final_warmup: 0, score: 'movement'};
  const outputs = await runStage(gradualPrune, choice, {weights});
  const [trace] = rowSchema.parse(outputs.traces);
  expect(trace?.threshold).not.toBe(0);
  // AdamW's first step is lr against the sign of the gradient, so it moves exactly the kept ones with positive scores outwards
  const trained = weightsIn(await runStage(finetune, {...training, length: '1it', weight_decay: 0}, {weights}));
  for (const {name, bits} of maskIn(outputs).tensors) {
    const [before, after] = [weights, trained].map((of) => of.tensors.find((tensor) => tensor.name === name)?.values);
    bits.forEach((bit, index) => {
      const [from = 0, to = 0] = [before?.[index], after?.[index]];
      if (bit === 1) expect(Math.abs(to)).toBeGreaterThanOrEqual(Math.abs(from));
    });
  }
});

test('random scores are drawn once: masks of several ratios are nested, the training’s noise moves nothing, the seed all', async () => {
  const masked = async (choice: object) =>
    bitsIn(await runStage(gradualPrune, {...training, length: '12it', interval: 2, ...choice}, {weights}));
  const [large, small] = [await masked({keep: 0.4, score: 'random'}), await masked({keep: 0.1, score: 'random'})];
  expect(small.every((bit, index) => bit <= (large[index] ?? 0))).toBe(true);
  expect(await masked({keep: 0.4, score: 'random', seed: 9, lr: 0.1})).toEqual(large);
  expect(await masked({keep: 0.4, score: {name: 'random', seed: 1}})).not.toEqual(large);
  expect(
    rowSchema.parse((await runStage(gradualPrune, {...training, keep: 0.1, score: 'random'}, {weights})).traces),
  ).toSatisfy((rows: readonly {regrown: number}[]) => rows.every(({regrown}) => regrown === 0));
});

test('before there are scores everything stays', async () => {
  const choice = {...training, keep: 0.2, interval: 30, warmup: 0, final_warmup: 20, score: 'platon'};
  const traces = z
    .array(z.looseObject({step: z.number(), kept: z.number()}))
    .parse((await runStage(gradualPrune, choice, {weights})).traces);
  const exact = Math.round(0.2 * PRUNABLE) / PRUNABLE;
  expect(traces.map(({step, kept}) => [step, kept])).toEqual([
    [21, 1],
    [30, exact],
  ]);
});

test('what cannot be pruned is refused before training', async () => {
  const refused = (choice: object, network = weights) =>
    expect(runStage(gradualPrune, {...training, keep: 0.2, score: 'platon', ...choice}, {weights: network})).rejects;
  await refused({keep: 1e-5}).toThrow(`keep: 0.00001 of ${PRUNABLE} prunable weights is not one weight.`);
  await refused({interval: 50, final_warmup: 20}).toThrow(
    'The last pruning, after step 21, comes before there are scores, after step 50 (interval: 50).',
  );
  await refused({}, randomMlp(1, 2, [])).toThrow('The network has no weights that can be pruned.');
  await refused({prunable: {include: ['fc7']}}).toThrow('No tensor of the network matches "fc7".');
});

test('what can be pruned is told, and the fractions are of that', async () => {
  const choice = {...training, keep: 0.5, score: 'magnitude', prunable: {include: ['fc2', 'classifier.weight']}};
  const {services, lines} = recordingServices();
  const json: Json = JSON.parse(JSON.stringify(choice));
  const outputs = await gradualPrune.run({params: json, inputs: {weights}, services});
  const all = 784 * 8 + 8 + 8 * 6 + 6 + 6 * 2 + 2;
  expect(lines).toContain(`66 of ${all.toLocaleString('en-US')} weights can be pruned, in 3 of 6 tensors.`);
  expect(outputs.summary).toEqual([expect.objectContaining({kept: 0.5, prunable: 66})]);
  const mask = maskIn(outputs);
  expect(mask.tensors.map(({name}) => name)).toEqual(['classifier.weight', 'fc2.bias', 'fc2.weight']);
  const retrained = await runStage(maskRetrain, {...training, prunable: choice.prunable}, {weights, mask});
  expect(retrained.summary).toEqual([expect.objectContaining({kept: 0.5})]);
});
