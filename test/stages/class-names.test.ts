import {expect, test} from 'vitest';
import type {Weights} from '../../src/artifact/kinds.ts';
import type {JsonObject} from '../../src/base/json.ts';
import evaluate from '../../stages/evaluate.ts';
import merge from '../../stages/merge-linear.ts';
import {copyOf, fixture, pretrained} from '../rig/checkpoints.ts';
import {locatedMnist, randomMlp, randomVit, recordingServices} from '../training/services.ts';

/** A small network whose classes have these names. */
function named(class_names: readonly string[], seed = 5): Weights {
  const weights = randomVit(seed, class_names.length);
  return {...weights, model: {...weights.model, class_names}};
}

/** The row that `evaluate` gives, and the lines of its log. */
async function evaluated(weights: Weights, choices: JsonObject = {}) {
  const data = await locatedMnist({limit: {train: 1, test: 40}, ...choices});
  const {services, lines} = recordingServices();
  const {summary} = await evaluate.run({params: {data}, inputs: {weights}, services});
  if (!Array.isArray(summary)) throw new Error('not what it declares');
  return {row: summary[0], lines};
}

const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

test('outputs that are called as the labels are evaluated, whatever way they are written', async () => {
  const nameless = await evaluated(randomVit(5, 10));
  for (const names of [DIGITS, [...DIGITS.keys()].map(String), DIGITS.map((name, digit) => ` ${digit} - ${name}`)]) {
    expect(await evaluated(named(names))).toEqual(nameless);
  }
});

test('outputs in another order than the labels are refused, and the order that the hint gives makes them right', async () => {
  const [zero = '', one = '', ...others] = DIGITS;
  const swapped = named([one, zero, ...others]);
  await expect(evaluated(swapped)).rejects.toMatchObject({
    message: 'Output 0 of the network is "one", and label 0 of the data set mnist is "0".',
    hint: expect.stringContaining('classes: [1, 0, 2, 3, 4, 5, 6, 7, 8, 9]'),
  });
  const nameless = randomVit(5, 10);
  const classes = [1, 0, 2, 3, 4, 5, 6, 7, 8, 9];
  expect((await evaluated(swapped, {classes})).row).toEqual((await evaluated(nameless, {classes})).row);
});

test('of some of the classes the names are held to those that were chosen', async () => {
  await expect(evaluated(named(['3', '5']))).rejects.toThrow(/10 classes/);
  expect((await evaluated(named(['3', '5']), {classes: [3, 5]})).lines).toEqual([]);
  for (const classes of [
    [5, 3],
    [0, 1],
  ]) {
    await expect(evaluated(named(['3', '5']), {classes})).rejects.toMatchObject({
      hint: expect.stringContaining('classes: [3, 5]'),
    });
  }
});

test('other names, and a name twice, contradict nothing and are told', async () => {
  expect((await evaluated(named(['left', 'right']), {classes: [3, 5]})).lines).toEqual([
    'The network calls its classes "left", "right", and mnist has others: its labels are taken in their order.',
  ]);
  expect((await evaluated(named(['3', '3']), {classes: [3, 5]})).lines).toHaveLength(1);
  expect((await evaluated(randomMlp(1), {classes: [3, 5]})).lines).toEqual([]);
});

test('a checkpoint keeps its names with its head, and a fresh head has none', async () => {
  const names = Array.from({length: 10}, (_, label) => (label < 2 ? 'crane' : `bird ${label}`));
  const path = copyOf('p4-32', (config) => {
    config.id2label = Object.fromEntries(names.map((name, label) => [String(label), name]));
  });
  expect((await pretrained({source: path})).weights.model.class_names).toEqual(names);
  expect((await pretrained({source: path, labels: 10})).weights.model).not.toHaveProperty('class_names');
  const upstream = (await pretrained({source: path})).weights;
  const fresh = await pretrained({source: 'upstream', labels: 4}, upstream);
  expect(fresh.weights.model).not.toHaveProperty('class_names');
  for (const none of [
    {...Object.fromEntries(names.entries()), 3: 7},
    {...Object.fromEntries(names.entries()), 3: ''},
    {...Object.fromEntries(names.entries()), 3: '\ud800'},
    Object.fromEntries(names.map((name, label) => [String(label + 1), name])),
  ]) {
    const unnamed = copyOf('p4-32', (config) => {
      config.id2label = none;
    });
    expect((await pretrained({source: unnamed})).weights).toEqual(
      (await pretrained({source: fixture('p4-32')})).weights,
    );
  }
});

test('networks of one kind are merged when one has no names, and not when they name other classes', async () => {
  const merged = (a: Weights, b: Weights) =>
    merge.run({params: {}, inputs: {a, b}, services: recordingServices().services});
  const nameless = randomVit(6, 2);
  expect(await merged(named(['cat', 'dog']), nameless)).toMatchObject({
    weights: {model: {class_names: ['cat', 'dog']}},
  });
  await expect(merged(named(['cat', 'dog']), named(['dog', 'cat'], 6))).rejects.toThrow(/differs .* in its model/);
});
