import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {beforeAll, expect, test} from 'vitest';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {relativeError} from '../rig/gradients.ts';
import {lcg} from '../rig/lcg.ts';

// Entezari et al. 2022, Ainsworth et al. 2023: renumbering what is inside a network changes its weights and not what it computes.

const [HIDDEN, HEADS, INNER, LAYERS, SIDE] = [6, 2, 5, 2, 4];
const HEAD = HIDDEN / HEADS;
const model = bindModel({
  model: 'vit',
  labels: 3,
  image_size: SIDE,
  patch_size: 2,
  num_channels: 1,
  hidden_size: HIDDEN,
  num_attention_heads: HEADS,
  intermediate_size: INNER,
  num_hidden_layers: LAYERS,
});

interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
type Network = ReadonlyMap<string, Values>;
type Permutation = readonly number[];

const network: Network = new Map(
  model.parameters.map(({name, shape}, index) => [name, {shape, values: lcg(index + 1, shape)}]),
);
const pictures = lcg(777, [3, 1, SIDE, SIDE]);

function logits(of: Network): Float32Array {
  const tensors = Object.fromEntries(
    [...of].map(([name, {shape, values}]) => [name, tf.tensor([...values], [...shape])]),
  );
  const found = tf.tidy(() => model.forward(tf, tensors, tf.tensor4d(pictures, [3, 1, SIDE, SIDE])));
  const values = found.dataSync<'float32'>().slice();
  tf.dispose([found, ...Object.values(tensors)]);
  return values;
}

/** A tensor whose place i along an axis is what was at place order[i]. */
function along({shape, values}: Values, axis: number, order: Permutation): Values {
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = order.length;
  return {
    shape,
    values: values.map((_, place) => {
      const [outer, at, rest] = [Math.floor(place / (inner * size)), Math.floor(place / inner) % size, place % inner];
      return values[(outer * size + (order[at] ?? 0)) * inner + rest] ?? Number.NaN;
    }),
  };
}

/** A network with some tensors permuted: the names that end so, and the axis of each. */
function permuted(of: Network, order: Permutation, axes: Readonly<Record<string, number>>): Network {
  return new Map(
    [...of].map(([name, tensor]) => {
      const found = Object.entries(axes).find(([end]) => name.endsWith(end));
      return [name, found ? along(tensor, found[1], order) : tensor];
    }),
  );
}

const block = (layer: number, axes: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(axes).map(([name, axis]) => [`layer.${layer}.${name}`, axis]));

const rows = (...names: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(names.flatMap((name) => [`${name}.weight`, `${name}.bias`].map((end) => [end, 0])));
const Q = 'attention.attention.query';
const K = 'attention.attention.key';
const V = 'attention.attention.value';
const O = 'attention.output.dense';

const permutationOf = (n: number): fc.Arbitrary<Permutation> => {
  const all = Array.from({length: n}, (_, index) => index);
  return fc.shuffledSubarray(all, {minLength: n, maxLength: n});
};
const layer = fc.integer({min: 0, max: LAYERS - 1});
/** Heads change places as wholes. */
const ofHeads = permutationOf(HEADS).map((order) =>
  order.flatMap((head) => Array.from({length: HEAD}, (_, index) => head * HEAD + index)),
);
/** Channels change places within their head. */
const withinHeads = fc
  .tuple(...Array.from({length: HEADS}, () => permutationOf(HEAD)))
  .map((orders) => orders.flatMap((order, head) => order.map((index) => head * HEAD + index)));

/** All that reads or writes the residual stream. */
const EMBEDDING = {
  'embeddings.cls_token': 2,
  'embeddings.position_embeddings': 2,
  ...rows('patch_embeddings.projection', 'vit.layernorm', 'layernorm_before', 'layernorm_after', O),
  'query.weight': 1,
  'key.weight': 1,
  'value.weight': 1,
  'intermediate.dense.weight': 1,
  ...rows('output.dense'),
  'classifier.weight': 1,
};

const symmetries: readonly (readonly [string, fc.Arbitrary<Permutation>, (layer: number) => Record<string, number>])[] =
  [
    [
      'hidden units of the MLP',
      permutationOf(INNER),
      (at) => block(at, {...rows('intermediate.dense'), 'output.dense.weight': 1}),
    ],
    ['whole heads', ofHeads, (at) => block(at, {...rows(Q, K, V), [`${O}.weight`]: 1})],
    ['query and key channels within a head', withinHeads, (at) => block(at, rows(Q, K))],
    ['value and output channels within a head', withinHeads, (at) => block(at, {...rows(V), [`${O}.weight`]: 1})],
    ['the embedding, everywhere at once', permutationOf(HIDDEN), () => EMBEDDING],
  ];

beforeAll(() => tf.setBackend('cpu'));

test.for(symmetries)('permuting %s changes weights and no logit', ([, permutations, axesIn]) => {
  const before = logits(network);
  fc.assert(
    fc.property(permutations, layer, (order, at) => {
      const axes = axesIn(at);
      const moved = permuted(network, order, axes);
      expect(relativeError(logits(moved), before)).toBeLessThan(1e-5);
      // half of it, the first tensor alone, is another network, unless nothing moved
      fc.pre(order.some((from, to) => from !== to));
      const [first] = Object.entries(axes);
      expect(
        relativeError(logits(permuted(network, order, Object.fromEntries(first ? [first] : []))), before),
      ).toBeGreaterThan(1e-4);
    }),
    {numRuns: 30},
  );
});

test('channels that change their head give another network', () => {
  const order = Array.from({length: HIDDEN}, (_, index) => (index + 1) % HIDDEN);
  for (const axes of [block(0, rows(Q, K)), block(0, {...rows(V), [`${O}.weight`]: 1})])
    expect(relativeError(logits(permuted(network, order, axes)), logits(network))).toBeGreaterThan(1e-4);
});
