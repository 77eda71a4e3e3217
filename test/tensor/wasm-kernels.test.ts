import {expect, test} from 'vitest';
import {values, withGradients} from '../../stages/tensor/self-test/case.ts';
import {withBackend} from '../rig/tensor-backends.ts';

const tf = await withBackend('wasm');

const MATRIX = Float32Array.from({length: 24}, (_, index) => index);
/** The value of [2, 3, 4] at a place is its flat index, so each part can be written down. */
const cube = () => tf.tensor3d(MATRIX, [2, 3, 4]);

test('a split takes its parts along any axis, in equal parts or by sizes, one of them the rest', () => {
  expect(tf.split(cube(), 2, 0).map((part) => part.arraySync())).toEqual([
    [
      [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10, 11],
      ],
    ],
    [
      [
        [12, 13, 14, 15],
        [16, 17, 18, 19],
        [20, 21, 22, 23],
      ],
    ],
  ]);
  expect(tf.split(cube(), [1, 2], 1).map((part) => Array.from(part.dataSync()))).toEqual([
    [0, 1, 2, 3, 12, 13, 14, 15],
    [4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23],
  ]);
  const [left, right] = tf.split(cube(), [3, -1], -1);
  expect(left?.shape).toEqual([2, 3, 3]);
  expect(Array.from(right?.dataSync() ?? [])).toEqual([3, 7, 11, 15, 19, 23]);
});

test('a split keeps the type of its input', () => {
  const [, integers] = tf.split(tf.tensor1d([1, 2, 3, 4], 'int32'), 2);
  expect(integers?.dtype).toBe('int32');
  expect(integers?.arraySync()).toEqual([3, 4]);
  const [, truths] = tf.split(tf.tensor1d([true, false, true], 'bool'), [1, 2]);
  expect(truths?.dtype).toBe('bool');
  expect(truths?.arraySync()).toEqual([0, 1]);
});

test('the parts of a split are right where the module has to grow its memory for them', () => {
  const size = 6_000_000;
  const [long, short] = tf.split(tf.range(0, size, 1, 'float32'), [size - 3, 3]);
  expect(short?.arraySync()).toEqual([size - 3, size - 2, size - 1]);
  expect(long?.slice(size - 5, 2).arraySync()).toEqual([size - 5, size - 4]);
  tf.dispose([long ?? [], short ?? []]);
});

test('the gradient of a split puts the parts together again', () => {
  const [, gradient] = withGradients(
    tf,
    (x) => {
      const [first, second] = tf.split(x, [2, 5]);
      return tf.concat([tf.mul(second ?? x, 3), tf.square(first ?? x)]);
    },
    [values(tf, [7])],
  );
  const weights = values(tf, [7], 99).dataSync();
  const x = values(tf, [7]).dataSync();
  const expected = Array.from(x, (value, index) =>
    index < 2 ? 2 * value * (weights[5 + index] ?? Number.NaN) : 3 * (weights[index - 2] ?? Number.NaN),
  );
  Array.from(gradient?.dataSync() ?? []).forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 5);
  });
});

test('a clone outlives its original, and the memory is free when both are gone', () => {
  const backend = tf.backend();
  const before = backend.numDataIds();
  const original = tf.tensor1d([1, 2, 3]);
  const clone = tf.clone(original);
  original.dispose();
  expect(clone.arraySync()).toEqual([1, 2, 3]);
  clone.dispose();
  expect(backend.numDataIds()).toBe(before);
});

test.for([
  [[300, 21], 0],
  [[300, 21], 1],
  [[5, 7, 9], 0],
  [
    [5, 7, 9],
    [1, 0],
  ],
  [
    [5, 7, 9],
    [0, 2],
  ],
  [
    [5, 7, 9],
    [-3, 1],
  ],
  [[5, 7, 9], undefined],
] as const)('sums of [%s] over %s are those of plain additions', ([shape, axis]) => {
  const x = values(tf, shape);
  const over =
    axis === undefined
      ? shape.map((_, index) => index)
      : [axis].flat().map((one) => (one + shape.length) % shape.length);
  const strides = shape.map((_, index) => shape.slice(index + 1).reduce((all, size) => all * size, 1));
  const expected = new Map<string, number>();
  x.dataSync().forEach((value, flat) => {
    const at = shape.map((size, index) => (over.includes(index) ? 0 : Math.floor(flat / (strides[index] ?? 1)) % size));
    expected.set(at.join(), (expected.get(at.join()) ?? 0) + value);
  });
  for (const keepDims of [true, false]) {
    const sum = tf.sum(x, axis === undefined || typeof axis === 'number' ? axis : [...axis], keepDims);
    expect(sum.shape).toEqual(shape.flatMap((size, index) => (over.includes(index) ? (keepDims ? [1] : []) : [size])));
    const actual = sum.dataSync();
    for (const [i, value] of [...expected.values()].entries()) expect(actual[i]).toBeCloseTo(value, 4);
  }
});

test('a sum of integers stays one, and no sum leaves a tensor behind', () => {
  const x = tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32');
  const before = tf.backend().numDataIds();
  const sum = tf.sum(x, 0);
  expect([sum.dtype, sum.arraySync()]).toEqual(['int32', [4, 6]]);
  tf.dispose([sum, tf.sum(tf.reshape(x, [4, 1]), 0)]);
  expect(tf.backend().numDataIds()).toBe(before);
});
