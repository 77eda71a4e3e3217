import * as tf from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Weights} from '../../src/artifact/kinds.ts';
import type {Json} from '../../src/base/json.ts';
import {registry} from '../../src/cli/registry.ts';
import type {OutputsByName} from '../../src/stage/define-stage.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {weightsIn} from '../stages/run-stage.ts';
import {locatedMnist, preprocessor, randomMlp, recordingServices} from '../training/services.ts';

const data = await locatedMnist({
  classes: [0, 1],
  limit: {train: 120, test: 20},
  validation: {n: 20, seed: 1},
});

async function run(name: string, params: Json, inputs: object): Promise<OutputsByName> {
  const stage = registry.get(name);
  if (!stage) throw new Error(`There is no stage ${name}`);
  return stage.run({params, inputs: {...inputs}, services: recordingServices().services});
}

/** A small random residual network under batch normalisation. */
function randomResnet(seed: number): Weights {
  const config = {model: 'resnet', norm: 'batch', depth: 8, width: 2, labels: 2, image_size: 28, num_channels: 1};
  const model = bindModel(config);
  return {model: model.config, preprocessor, tensors: initialise(model, seed)};
}

const [base, a, b] = [randomResnet(1), randomResnet(2), randomResnet(3)];
const trained = async (weights: Weights): Promise<Weights> =>
  weightsIn(await run('finetune', {data, length: '3it', lr: 1e-2, batch: 16}, {weights}));
const [one, other] = [await trained(a), await trained(b)];

const merges: readonly (readonly [string, {readonly [name: string]: Json}, object])[] = [
  ['merge-linear', {}, {a: one, b: other}],
  ['merge-slerp', {t: 0.4}, {a: one, b: other}],
  ['merge-task-arithmetic', {}, {base, a: one, b: other}],
  ['merge-ties', {density: 0.5}, {base, a: one, b: other}],
  ['merge-dare', {density: 0.5}, {base, a: one, b: other}],
  ['merge-model-stock', {}, {base, a: one, b: other}],
];

test.for(merges)('%s of networks with running statistics says what to do', async ([name, params, inputs]) => {
  await expect(run(name, params, inputs)).rejects.toMatchObject({
    message:
      'The networks have running statistics (batch normalisation), and merging them does not give those of the merged network.',
    hint: 'Add `statistics: merged`, and estimate them anew in a stage that follows: `uses: estimate-statistics`, with `data`.',
  });
  const without = {base: randomMlp(1), a: randomMlp(2), b: randomMlp(3)};
  await expect(run(name, {...params, statistics: 'merged'}, without)).rejects.toMatchObject({
    message: 'The networks have no running statistics to merge.',
    hint: 'Leave `statistics` out.',
  });
});

test.for(merges)(
  '%s, then estimate-statistics, is the middle of a line where it is one',
  async ([name, params, inputs]) => {
    const merged = weightsIn(await run(name, {...params, statistics: 'merged'}, inputs));
    const before = tf.memory().numTensors;
    const whole = weightsIn(await run('estimate-statistics', {data, pictures: 50}, {weights: merged}));
    expect(tf.memory().numTensors).toBe(before);
    const isRunning = (tensor: {readonly name: string}) => tensor.name.includes('.running_');
    expect(whole.tensors.filter((tensor) => !isRunning(tensor))).toEqual(
      merged.tensors.filter((tensor) => !isRunning(tensor)),
    );
    expect(whole.tensors.filter(isRunning)).not.toEqual(merged.tensors.filter(isRunning));
    const {summary} = await run('evaluate', {data, split: 'test'}, {weights: whole});
    const [{loss}] = rows.parse(summary);
    expect(loss).toBeGreaterThan(0);
    if (name !== 'merge-linear') return;
    const line = {data, alpha: 0.5, train: 0, statistics: {pictures: 50}};
    const {points} = await run('interpolate', line, inputs);
    expect(rows.parse(points).find(({split}) => split === 'test')?.loss).toBeCloseTo(loss, 6);
  },
);
const row = z.looseObject({split: z.string(), loss: z.number()});
const rows = z.tuple([row], row);

test('a network without running statistics has nothing to estimate', async () => {
  await expect(run('estimate-statistics', {data}, {weights: randomMlp(1)})).rejects.toMatchObject({
    message: 'The network has no running statistics to estimate.',
    hint: 'Take its weights as they are.',
  });
});

test('changes that add up take no variance below 0', async () => {
  const params = {lambda: -1000, statistics: 'merged'};
  const merged = weightsIn(await run('merge-task-arithmetic', params, {base, a: one}));
  const variances = merged.tensors.filter(({name}) => name.endsWith('.running_var')).flatMap(({values}) => [...values]);
  expect(Math.min(...variances)).toBe(0);
});

test('a greedy soup is tried and passed on with statistics of its own', async () => {
  const refused = run('merge-greedy-soup', {data}, {a: one, b: other});
  await expect(refused).rejects.toThrow('The networks have running statistics');
  const before = tf.memory().numTensors;
  const soup = await run('merge-greedy-soup', {data, statistics: {pictures: 50}}, {a: one, b: other});
  expect(tf.memory().numTensors).toBe(before);
  const mean = await run('merge-linear', {statistics: 'merged'}, {a: one, b: other});
  const whole = await run('estimate-statistics', {data, pictures: 50}, {weights: mean.weights});
  const accuracyOf = async (weights: unknown): Promise<number | undefined> => {
    const {summary} = await run('evaluate', {data, split: 'validation'}, {weights});
    return accuracies.parse(summary)[0]?.accuracy;
  };
  const tried = z.array(z.object({kept: z.boolean(), soup_accuracy: z.number()}).loose()).parse(soup.summary);
  expect(tried[1]?.soup_accuracy).toBe(await accuracyOf(whole.weights));
  expect(await accuracyOf(soup.weights)).toBe(tried.findLast(({kept}) => kept)?.soup_accuracy);
});
const accuracies = z.array(z.looseObject({accuracy: z.number()}));
