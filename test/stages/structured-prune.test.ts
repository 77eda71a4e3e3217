import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Mask, Weights} from '../../src/artifact/kinds.ts';
import evaluate from '../../stages/evaluate.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {vitConfigSchema} from '../../stages/lib/models/vit-config.ts';
import {rearrange} from '../../stages/lib/pruning/rearrange.ts';
import {searchMask, type Units} from '../../stages/lib/pruning/structured-search.ts';
import {unitGradients} from '../../stages/lib/pruning/structured-vit.ts';
import {layoutOf, pack, split} from '../../stages/lib/training/parameter-layout.ts';
import structuredPrune from '../../stages/structured-prune.ts';
import {locatedMnist, randomMlp, randomVit, recordingServices} from '../training/services.ts';

const bits = z.array(z.array(z.number()));
const {kwon} = z
  .object({
    kwon: z.object({
      config: z.object({
        num_hidden_layers: z.int(),
        num_attention_heads: z.int(),
        intermediate_size: z.int(),
        hidden_size: z.int(),
      }),
      seq_len: z.int(),
      constraint: z.number(),
      head_mask: bits,
      neuron_mask: bits,
      head_rearranged: bits,
      neuron_rearranged: bits,
    }),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '..', 'golden', 'golden.json'), 'utf8')));

/** The generator of all golden vectors, emitting after the update; its numbers lie around 0. */
function* generator(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(1_664_525, state) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32 - 0.5;
  }
}

test('the published search and rearrangement of a mask, bit for bit', () => {
  const {num_hidden_layers: layers, num_attention_heads, intermediate_size, hidden_size: width} = kwon.config;
  const [tokens, depth] = [kwon.seq_len, width / num_attention_heads];
  const numbers = generator(31);
  const unitsOf = (perLayer: number, macs: number): Units => ({
    layers,
    perLayer,
    macs,
    gradients: Array.from({length: 6}, () =>
      Float64Array.from({length: layers * perLayer}, () => numbers.next().value),
    ),
  });
  const heads = unitsOf(
    num_attention_heads,
    3 * tokens * width * depth + 2 * tokens ** 2 * depth + tokens * depth * width,
  );
  const neurons = unitsOf(intermediate_size, 2 * tokens * width);
  const all = layers * (heads.perLayer * heads.macs + neurons.perLayer * neurons.macs);
  const mask = searchMask(heads, neurons, kwon.constraint * all);
  expect([...mask.heads]).toEqual(kwon.head_mask.flat());
  expect([...mask.neurons]).toEqual(kwon.neuron_mask.flat());
  expect([...rearrange(heads, mask.heads)]).toEqual(kwon.head_rearranged.flat());
  expect([...rearrange(neurons, mask.neurons)]).toEqual(kwon.neuron_rearranged.flat());
});

const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
const weights = randomVit(5);
const run = async (params: object, inputs: object = {weights}) =>
  structuredPrune.run({
    params: {data, samples: 48, batch: 16, ...JSON.parse(JSON.stringify(params))},
    inputs: {...inputs},
    services: recordingServices().services,
  });
const layersOf = z.array(z.object({layer: z.int(), heads: z.int(), neurons: z.int(), macs: z.number()}));
const isMask = (value: unknown): value is Mask => typeof value === 'object' && value !== null && 'tensors' in value;
const isWeights = (value: unknown): value is Weights => isMask(value) && 'model' in value;

test('what stays fits the budget, and removed heads and neurons are whole rows and columns of zeros', async () => {
  const {summary, mask, weights: pruned} = await run({macs: 0.5});
  const layers = layersOf.parse(summary);
  const kept = layers.reduce((total, {macs}) => total + macs, 0) / layers.length;
  expect(kept).toBeLessThanOrEqual(0.5);
  expect(kept).toBeGreaterThan(0.45);
  if (!isMask(mask) || !isWeights(pruned)) throw new Error('no mask');
  for (const {layer, heads, neurons} of layers) {
    const tensor = (name: string) =>
      mask.tensors.find((found) => found.name === `vit.encoder.layer.${layer}.${name}.weight`);
    const count = (name: string) => tensor(name)?.bits.reduce((total, bit) => total + bit, 0);
    for (const name of ['query', 'key', 'value']) expect(count(`attention.attention.${name}`)).toBe(heads * 8 * 16);
    expect(count('attention.output.dense')).toBe(heads * 8 * 16);
    expect(count('intermediate.dense')).toBe(neurons * 16);
    expect(count('output.dense')).toBe(neurons * 16);
    const first = tensor('intermediate.dense')?.bits.filter((_, index) => index % 16 === 0);
    const read = tensor('output.dense')?.bits.subarray(0, 24);
    expect([...(first ?? [])]).toEqual([...(read ?? [])]);
  }
  for (const {name, bits: own} of mask.tensors) {
    const values = pruned.tensors.find((tensor) => tensor.name === name)?.values ?? new Float32Array();
    expect(values.every((value, index) => own[index] === 1 || value === 0)).toBe(true);
  }
});

test('the derivative by a mask is how the loss moves when what makes the unit is scaled', () => {
  const model = bindModel({...weights.model, hidden_act: 'relu'}); // then scaling a neuron's row and bias scales the neuron
  const config = vitConfigSchema.parse(model.config);
  const layout = layoutOf(model.parameters);
  const start = pack(layout, weights.tensors);
  const pictures = tf.randomNormal<tf.Rank.R4>([5, 1, 28, 28], 0, 1, 'float32', 3);
  const labels: tf.Tensor = tf.cast(tf.oneHot(tf.tensor1d([0, 1, 1, 0, 1], 'int32'), 2), 'float32');
  const loss = (flat: tf.Tensor) =>
    tf.losses.softmaxCrossEntropy(labels, model.forward(tf, split(tf, layout, flat.as1D()), pictures));
  const gradient = tf.grad(loss)(tf.tensor1d(start)).dataSync<'float32'>();
  const found = unitGradients(config, layout, start, gradient);
  const scaled = (layer: string, rows: readonly number[], factor: number): number => {
    const values = start.slice();
    for (const {name, offset, shape} of layout.entries.filter((entry) => entry.name.startsWith(`${layer}.`))) {
      const columns = shape[1] ?? 1;
      for (const row of rows)
        for (let place = row * columns; place < (row + 1) * columns; place++)
          values[offset + place] = (values[offset + place] ?? 0) * factor;
      expect(name).toMatch(/(weight|bias)$/);
    }
    return loss(tf.tensor1d(values)).dataSync()[0] ?? Number.NaN;
  };
  // a short step: a longer one crosses a kink of the activation
  const slope = (layer: string, rows: readonly number[]): number =>
    (scaled(layer, rows, 1.002) - scaled(layer, rows, 0.998)) / 0.004;
  for (const layer of [0, 1]) {
    for (const head of [0, 1]) {
      const rows = Array.from({length: 8}, (_, row) => 8 * head + row);
      const by = slope(`vit.encoder.layer.${layer}.attention.attention.value`, rows);
      expect(found.heads[2 * layer + head]).toBeCloseTo(by, 3);
    }
    for (const neuron of [0, 9, 23]) {
      const by = slope(`vit.encoder.layer.${layer}.intermediate.dense`, [neuron]);
      expect(found.neurons[24 * layer + neuron]).toBeCloseTo(by, 3);
    }
  }
  expect(Math.max(...found.heads.map(Math.abs))).toBeGreaterThan(0.05);
  expect(Math.max(...found.neurons.map(Math.abs))).toBeGreaterThan(0.01);
});

test('all of the budget keeps all of the network', async () => {
  const {weights: pruned} = await run({macs: 1});
  expect(pruned).toEqual(weights);
});

test('what removing hurts least is removed first', async () => {
  const scaled = (name: string, columns: readonly number[], factor: number): Weights => ({
    ...weights,
    tensors: weights.tensors.map((tensor) => ({
      ...tensor,
      values: tensor.name.endsWith(name)
        ? tensor.values.map((value, index) =>
            columns.includes(index % (tensor.shape[1] ?? 1)) ? value * factor : value,
          )
        : tensor.values,
    })),
  });
  // neurons that nothing reads are those that go
  const idle = [3, 5, 6, 10, 11, 20];
  const {mask} = await run({macs: 0.93, rearrange: false}, {weights: scaled('1.output.dense.weight', idle, 1e-6)});
  if (!isMask(mask)) throw new Error('no mask');
  const read = mask.tensors.find(({name}) => name === 'vit.encoder.layer.1.output.dense.weight')?.bits.subarray(0, 24);
  const gone = [...(read ?? [])].flatMap((bit, neuron) => (bit === 0 ? [neuron] : []));
  expect(gone).toEqual(expect.arrayContaining(idle));
  expect(gone.length).toBeLessThan(12);
});

test('an mlp, and a budget below one head, are refused', async () => {
  await expect(run({macs: 0.5}, {weights: randomMlp(1)})).rejects.toThrow('Only networks of the model vit');
  await expect(run({macs: 0.01})).rejects.toThrow('is less than one attention head');
});

test('the pruned network evaluates', async () => {
  const {weights: pruned} = await run({macs: 0.5});
  const {summary} = await evaluate.run({
    params: {data},
    inputs: {weights: pruned},
    services: recordingServices().services,
  });
  expect(summary).toEqual([expect.objectContaining({split: 'test', n: 30})]);
});
