import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Row} from '../../src/artifact/kinds.ts';
import {NO_CHECKPOINTS} from '../../src/run/checkpoints.ts';
import type {Checkpoint} from '../../src/stage/checkpoint.ts';
import layerwise from '../../stages/layerwise.ts';
import {layersOf} from '../../stages/lib/layerwise/layers.ts';
import {layerwiseRows} from '../../stages/lib/layerwise/measure.ts';
import {type MoveSettings, movesOf} from '../../stages/lib/layerwise/moves.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {layoutOf, pack, split} from '../../stages/lib/training/parameter-layout.ts';
import {withBackend} from '../rig/tensor-backends.ts';
import {golden, lcg} from '../training/golden.ts';
import {locatedMnist, randomMlp, recordingServices} from '../training/services.ts';

const tf = await withBackend('cpu');
const tiny = bindModel({
  ...{model: 'vit', labels: 3, hidden_size: 16, image_size: 8, patch_size: 4, num_hidden_layers: 2},
  ...{num_attention_heads: 4, intermediate_size: 24, layer_norm_eps: 1e-12},
});
const layout = layoutOf(tiny.parameters);

/** The network of golden.json's formula. */
function network(seed: number): Float32Array {
  const next = lcg(seed);
  const tensors = tiny.parameters.map(({name, shape}) => {
    const offset = name.includes('layernorm') && name.endsWith('weight') ? 1 : 0;
    const size = shape.reduce((product, extent) => product * extent, 1);
    return {name, shape, values: Float32Array.from({length: size}, () => (next() - 0.5) * 0.4 + offset)};
  });
  return pack(layout, tensors);
}
const [a, b] = [network(12345), network(54321)];
const modules = layersOf(tf, tiny, layout, 'module');

const pixel = lcg(888);
const pictures = tf.tensor4d(
  Float32Array.from({length: 16 * 192}, () => (pixel() - 0.5) * 2),
  [16, 3, 8, 8],
);
const labels = tf.oneHot(
  Array.from({length: 16}, (_, index) => index % 3),
  3,
);

async function evaluate(flat: Float32Array) {
  const losses = tf.tidy(() => {
    const logits = tiny.forward(tf, split(tf, layout, tf.tensor1d(flat)), pictures);
    return tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), 1)).dataSync<'float32'>();
  });
  return [{split: 'test', error: 0, loss: losses.reduce((sum, loss) => sum + loss, 0) / 16}];
}

test('one layer at the middle of a line: the golden barriers of every module, from both sides', async () => {
  const rows = await layerwiseRows({a, b, layers: modules}, {mode: 'layer', alpha: 0.5}, evaluate, NO_CHECKPOINTS);
  const barriers = (rest: string) =>
    Object.fromEntries(rows.flatMap((row) => (row.rest === rest ? [[row.layer, row.loss_barrier]] : [])));
  const expected = Object.entries(golden.layerwise_lmc['barrier_loss[default=model1, default=model2]']);
  expect(modules.map(({name}) => name).sort()).toEqual(expected.map(([name]) => name).sort());
  const [fromA, fromB] = [barriers('a'), barriers('b')];
  for (const [name, [one, other]] of expected) {
    expect(Math.abs(Number(fromA[name]) - one), name).toBeLessThan(1e-6);
    expect(Math.abs(Number(fromB[name]) - other), name).toBeLessThan(1e-6);
  }
  const [all] = rows;
  const {lmc} = golden;
  expect(all).toMatchObject({layer: '(all)', rest: '', layers: modules.length, size: layout.size});
  const ends = ((lmc.loss[0] ?? 0) + (lmc.loss[10] ?? 0)) / 2;
  expect(all?.loss_barrier).toBeCloseTo((lmc.loss[5] ?? 0) - ends, 6);
});

test('layers come in the order of the forward pass, whatever their names', () => {
  const names = modules.map(({name}) => name);
  expect(names[0]).toBe('vit.embeddings.patch_embeddings.projection');
  expect(names.slice(-2)).toEqual(['vit.layernorm', 'classifier']);
  const places = ['layer.0.attention.attention.query', 'layer.0.output.dense', 'layer.1.intermediate.dense'];
  const found = places.map((place) => names.indexOf(`vit.encoder.${place}`));
  expect(found).toEqual(found.toSorted((one, other) => one - other));
  expect(found[0]).toBeGreaterThan(0);
  const blocks = layersOf(tf, tiny, layout, 'block');
  expect(blocks.map(({name}) => name).slice(-4)).toEqual([
    'vit.encoder.layer.0',
    'vit.encoder.layer.1',
    'vit.layernorm',
    'classifier',
  ]);
  for (const layers of [modules, blocks, layersOf(tf, tiny, layout, 'tensor')])
    expect(layers.reduce((sum, {size}) => sum + size, 0)).toBe(layout.size);
});

/** Every network of a walk, with the names of the layers in which it differs from a, and from b. */
function walk(settings: MoveSettings) {
  const differs = (one: Float32Array, other: Float32Array): readonly string[] =>
    modules.flatMap(({name, parts}) =>
      parts.some(({offset, size}) =>
        one.subarray(offset, offset + size).some((value, index) => value !== other[offset + index]),
      )
        ? [name]
        : [],
    );
  return Array.from(movesOf(a, b, modules, settings), ({move, flat}) => ({
    ...move,
    fromA: differs(flat, a),
    fromB: differs(flat, b),
  }));
}
const moving = modules.map(({name}) => name);

test('replacement gives one layer of the other network, bit for bit, in both directions', () => {
  const steps = walk({mode: 'replacement'});
  expect(steps).toHaveLength(2 * modules.length);
  for (const {layer, rest, fromA, fromB} of steps) {
    expect(rest === 'a' ? fromA : fromB).toEqual([layer]);
    expect(rest === 'a' ? fromB : fromA).toEqual(moving.filter((name) => name !== layer));
  }
});

test.each([
  ['shallow', moving],
  ['deep', moving.toReversed()],
  ['minimal', [...moving.slice(0, 5), ...moving.slice(-5), ...moving.slice(5, -5)]],
] as const)('a growing group takes its layers in the order %s', (by, order) => {
  const [all, ...steps] = walk({mode: 'cumulative', alpha: 0.5, order: {by}});
  expect(all?.fromA).toHaveLength(modules.length);
  expect(steps).toHaveLength(2 * modules.length);
  steps.forEach(({layer, layers, rest, fromA, fromB}, index) => {
    const size = (index % modules.length) + 1;
    expect([layer, layers]).toEqual([order[size - 1], size]);
    expect(new Set(rest === 'a' ? fromA : fromB)).toEqual(new Set(order.slice(0, size)));
  });
});

test('a random order is one of all layers and belongs to its seed', () => {
  const order = (seed: number) =>
    walk({mode: 'cumulative', alpha: 0.5, order: {by: 'random', seed}}).flatMap(({layer, rest}) =>
      rest === 'a' ? [layer] : [],
    );
  expect(order(1).toSorted()).toEqual(moving.toSorted());
  expect(order(1)).toEqual(order(1));
  expect(order(1)).not.toEqual(order(2));
  expect(order(1)).not.toEqual(moving);
});

test('random directions move a layer exactly as far as the other network is, each sample its own way', () => {
  const lengths: number[] = [];
  const firsts: number[] = [];
  for (const {move, flat} of movesOf(a, b, modules, {mode: 'direction', alpha: 0.5, samples: 3, seed: 4})) {
    const moved = Math.hypot(...flat.map((value, index) => value - (a[index] ?? 0)));
    expect(moved / (0.5 * move.distance)).toBeCloseTo(1, 4);
    lengths.push(moved);
    firsts.push(flat.findLast((value, index) => value !== a[index]) ?? 0);
  }
  expect(lengths).toHaveLength(3 * modules.length);
  expect(new Set(firsts).size).toBe(3 * modules.length);
});

const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
const inputs = {a: randomMlp(1), b: randomMlp(2)};
const table = z.array(z.record(z.string(), z.union([z.string(), z.number()])));
const run = async (params: object, services = recordingServices()): Promise<readonly Row[]> =>
  table.parse((await layerwise.run({params: {data, ...params}, inputs, services: services.services})).summary);

test('the stage gives a row for each layer, side and split, and counts what it does', async () => {
  const services = recordingServices();
  const rows = await run({train: 20}, services);
  expect(rows.map(({layer, rest, split}) => `${layer} ${rest} ${split}`)).toEqual([
    ...['(all)  train', '(all)  test'],
    ...['fc1 a train', 'fc1 a test', 'classifier a train', 'classifier a test'],
    ...['fc1 b train', 'fc1 b test', 'classifier b train', 'classifier b test'],
  ]);
  expect(services.progress.at(-1)).toEqual({step: 7, steps: 7});
  expect(new Set(rows.map(({distance}) => distance)).size).toBe(3);
});

test('what was measured before a stop is not measured again, and the table is the same', async () => {
  const saved: Checkpoint[] = [];
  const whole = await run(
    {},
    recordingServices(undefined, {
      load: async () => undefined,
      offer: async (make) => void saved.push(structuredClone(make())),
    }),
  );
  const services = recordingServices(undefined, {load: async () => saved[3], offer: async () => {}});
  expect(await run({}, services)).toEqual(whole);
  expect(services.progress.map(({step}) => step)).toEqual([5, 6, 7]);
});

test('a parameter of another mode, and networks of another shape, are refused', async () => {
  const fits = (params: object): boolean => layerwise.params.safeParse({data, ...params}).success;
  expect(fits({mode: 'replacement', alpha: 0.5})).toBe(false);
  expect(fits({mode: 'cumulative', seed: 1})).toBe(false);
  expect(fits({mode: 'cumulative', order: 'random', seed: 1})).toBe(true);
  expect(fits({mode: 'direction', samples: 2})).toBe(true);
  await expect(
    layerwise.run({
      params: {data},
      inputs: {...inputs, b: randomMlp(1, 2, [9])},
      services: recordingServices().services,
    }),
  ).rejects.toThrow('a and b differ in their model');
});
