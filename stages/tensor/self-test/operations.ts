import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {type Case, positive, values, withGradients} from './case.ts';

/** One function of one tensor, its value and gradient. */
const unary = (name: string, f: (tf: Tf, x: Tensor) => Tensor, input = values): Case => ({
  name,
  compute: (tf) => withGradients(tf, (x) => f(tf, x), [input(tf, [3, 4, 5])]),
});

const ALIKE = [
  [
    [4, 5],
    [4, 5],
  ],
];
const BROADCAST = [
  ...ALIKE,
  [[3, 4, 5], [5]],
  [
    [4, 1],
    [3, 4, 5],
  ],
  [[], [4, 5]],
];

/** One function of two tensors, alike and broadcast from either side. */
const binary = (
  name: string,
  f: (tf: Tf, x: Tensor, y: Tensor) => Tensor,
  input = values,
  shapes: readonly number[][][] = BROADCAST,
): Case => ({
  name,
  compute: (tf) =>
    shapes.flatMap(([left = [], right = []]) =>
      withGradients(tf, (x, y) => f(tf, x, y), [input(tf, left, 1), input(tf, right, 2)]),
    ),
});

/** A value that has no gradient, or none that anybody asks for. */
const plain = (name: string, compute: Case['compute']): Case => ({name, compute});

const elementwise: readonly Case[] = [
  unary('exp', (tf, x) => tf.exp(x)),
  unary('log', (tf, x) => tf.log(x), positive),
  unary('sqrt', (tf, x) => tf.sqrt(x), positive),
  unary('rsqrt', (tf, x) => tf.rsqrt(x), positive),
  unary('square', (tf, x) => tf.square(x)),
  unary('abs', (tf, x) => tf.abs(x)),
  unary('neg', (tf, x) => tf.neg(x)),
  unary('erf', (tf, x) => tf.erf(x)),
  unary('tanh', (tf, x) => tf.tanh(x)),
  unary('sigmoid', (tf, x) => tf.sigmoid(x)),
  unary('relu', (tf, x) => tf.relu(x)),
  unary('clipByValue', (tf, x) => tf.clipByValue(x, -0.7, 0.6)),
  unary('pow by 3', (tf, x) => tf.pow(x, 3), positive),
  unary('cos', (tf, x) => tf.cos(x)),
  binary('add', (tf, x, y) => tf.add(x, y)),
  binary('sub', (tf, x, y) => tf.sub(x, y)),
  binary('mul', (tf, x, y) => tf.mul(x, y)),
  binary('div', (tf, x, y) => tf.div(x, y), positive),
  binary('pow', (tf, x, y) => tf.pow(x, y), positive),
  // tfjs 4.22 does not sum these three's gradients over broadcast axes, on any back end.
  binary('maximum', (tf, x, y) => tf.maximum(x, y), values, ALIKE),
  binary('minimum', (tf, x, y) => tf.minimum(x, y), values, ALIKE),
  binary('squaredDifference', (tf, x, y) => tf.squaredDifference(x, y), values, ALIKE),
  plain('comparisons', (tf) => {
    const [x, y] = [values(tf, [4, 5]), values(tf, [5], 2)];
    return [
      tf.greater(x, y),
      tf.greaterEqual(x, x),
      tf.less(x, y),
      tf.lessEqual(x, y),
      tf.equal(x, x),
      tf.notEqual(x, y),
    ];
  }),
  plain('logical operations', (tf) => {
    const [p, q] = [tf.greater(values(tf, [4, 5]), 0), tf.less(values(tf, [4, 5], 2), 0.3)];
    return [tf.logicalAnd(p, q), tf.logicalOr(p, q), tf.logicalNot(p)];
  }),
  {
    name: 'where',
    compute: (tf) => {
      const condition = tf.greater(values(tf, [4, 5], 7), 0);
      return withGradients(tf, (x, y) => tf.where(condition, x, y), [values(tf, [4, 5]), values(tf, [4, 5], 2)]);
    },
  },
  plain('casts', (tf) => {
    const x = values(tf, [4, 5]);
    return [x.mul(10).toInt(), tf.greater(x, 0).toFloat(), tf.range(0, 6, 1, 'int32').toFloat()];
  }),
  {name: 'cast of integers to booleans', avoided: true, compute: (tf) => tf.range(-3, 3, 1, 'int32').toBool()},
  plain('integer arithmetic', (tf) => {
    const [i, j] = [tf.range(0, 12, 1, 'int32'), tf.tensor1d([3], 'int32')];
    return [i.add(j), i.sub(j), i.mul(j), tf.floorDiv(i, j), tf.mod(i, j)];
  }),
  plain('isNaN and isFinite', (tf) => {
    const x = tf.tensor1d([0, Number.NaN, 1, Number.POSITIVE_INFINITY]);
    return [tf.isNaN(x), tf.isFinite(x)];
  }),
];

const reductions: readonly Case[] = [
  ...[undefined, 0, 1, -1, [0, 2]].flatMap((axis): Case[] => [
    unary(`sum over ${axis ?? 'all'}`, (tf, x) => tf.sum(x, axis)),
    unary(`mean over ${axis ?? 'all'}`, (tf, x) => tf.mean(x, axis, true)),
    unary(`max over ${axis ?? 'all'}`, (tf, x) => tf.max(x, axis)),
  ]),
  unary('min over -1', (tf, x) => tf.min(x, -1)),
  unary('softmax', (tf, x) => tf.softmax(x)),
  unary('logSoftmax', (tf, x) => tf.logSoftmax(x)),
  unary('logSumExp', (tf, x) => tf.logSumExp(x, -1)),
  unary('variance of moments', (tf, x) => tf.moments(x, -1, true).variance),
  unary('norm', (tf, x) => tf.norm(x)),
  plain('argMax', (tf) => [tf.argMax(values(tf, [3, 4, 5]), -1), tf.argMax(values(tf, [4, 5]), 0)]),
  plain('topk', (tf) => {
    const {values: best, indices} = tf.topk(values(tf, [3, 20]), 7);
    return [best, indices];
  }),
  plain('any and all', (tf) => {
    const p = tf.greater(values(tf, [4, 5]), 0);
    return [tf.any(p, 1), tf.all(p, 0)];
  }),
  plain('sum of booleans and integers', (tf) => [
    tf.sum(tf.greater(values(tf, [4, 5]), 0)),
    tf.sum(tf.range(0, 12, 1, 'int32')),
  ]),
];

const shapes: readonly Case[] = [
  unary('reshape', (_tf, x) => x.reshape([4, 15])),
  unary('transpose of 2 axes', (tf, x) => tf.transpose(x.reshape([12, 5]))),
  unary('transpose of 3 axes', (tf, x) => tf.transpose(x, [2, 0, 1])),
  unary('transpose of 4 axes', (tf, x) => tf.transpose(x.reshape([3, 2, 2, 5]), [0, 2, 1, 3])),
  unary('transpose of 5 axes', (tf, x) => tf.transpose(x.reshape([3, 2, 2, 5, 1]), [2, 0, 3, 1, 4])),
  unary('slice', (tf, x) => tf.slice(x, [1, 0, 2], [2, 3, 2])),
  plain('stridedSlice', (tf) => tf.stridedSlice(values(tf, [3, 4, 5]), [0, 0, 4], [3, 4, 0], [1, 2, -1])),
  unary('split', (tf, x) => tf.concat(tf.split(x, [1, 3], 1).reverse(), 1)),
  unary('split of a vector into unlike parts', (tf, x) => tf.concat(tf.split(x.reshape([60]), [40, 1, 19]).reverse())),
  unary('stack and unstack', (tf, x) => tf.stack(tf.unstack(x, 1), 2)),
  unary('tile', (tf, x) => tf.tile(x, [2, 1, 3])),
  unary('pad', (tf, x) =>
    tf.pad(
      x,
      [
        [0, 0],
        [1, 2],
        [3, 0],
      ],
      0.5,
    ),
  ),
  unary('expandDims and squeeze', (tf, x) => tf.squeeze(tf.expandDims(x, 1).slice([0, 0, 0, 0], [3, 1, 1, 5]), [2])),
  unary('broadcastTo', (tf, x) => tf.broadcastTo(x.reshape([3, 1, 4, 5]), [3, 2, 4, 5])),
  unary('reverse', (tf, x) => tf.reverse(x, [1])),
  {
    name: 'concat of 3',
    compute: (tf) =>
      withGradients(tf, (x, y, z) => tf.concat([x, y, z], 1), [
        values(tf, [2, 3]),
        values(tf, [2, 1], 2),
        values(tf, [2, 4], 3),
      ]),
  },
  plain('gather', (tf) => tf.gather(values(tf, [6, 5]), tf.tensor1d([5, 0, 0, 3], 'int32'))),
  {
    name: 'gather with its gradient',
    avoided: true,
    compute: (tf) => withGradients(tf, (x) => tf.gather(x, tf.tensor1d([5, 0, 0, 3], 'int32')), [values(tf, [6, 5])]),
  },
  plain('oneHot', (tf) => tf.oneHot(tf.tensor1d([2, 0, 3], 'int32'), 4)),
  {
    name: 'oneHot as float32',
    avoided: true, // the wasm back end writes integers whatever type is asked for
    compute: (tf) => tf.oneHot(tf.tensor1d([2, 0, 3], 'int32'), 4, 1, 0, 'float32'),
  },
  plain('zeros, ones, fill, range, eye', (tf) => [
    tf.zeros([2, 3]),
    tf.ones([3]),
    tf.fill([2, 2], 0.25),
    tf.range(0, 1, 0.25),
    tf.eye(3),
  ]),
  {name: 'cumsum', avoided: true, compute: (tf) => tf.cumsum(values(tf, [3, 6]), 1)},
];

/** Single operations, each in value and, where it has one, gradient. */
export const operationCases: readonly Case[] = [...elementwise, ...reductions, ...shapes];
