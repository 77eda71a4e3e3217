import type {Tensor, Tensor4D} from '@tensorflow/tfjs';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {
  filterGradientDefinition,
  filterGradientNative,
  type Windows,
} from '../../stages/tensor/fused/filter-gradient.ts';
import type {Tf} from '../../stages/tensor/library.ts';
import {withBackend} from '../rig/tensor-backends.ts';
import {expectLike, nativeOperations, noise} from './against-definition.ts';

const tf = await nativeOperations();

/** Below, at and behind a vector and two, and more than tiles and blocks take. */
const channels = fc.oneof(fc.integer({min: 1, max: 20}), fc.constantFrom(32, 35, 64));
const side = fc.constantFrom<number>(1, 3, 2, 5);
const stride = fc.constantFrom<number>(1, 2, 3);
const pairOf = (one: fc.Arbitrary<number>) => fc.tuple(one, one);
const square = (one: fc.Arbitrary<number>) => one.map((length): [number, number] => [length, length]);

const convolution = fc.record({
  batch: fc.integer({min: 1, max: 9}),
  sides: pairOf(fc.oneof(fc.integer({min: 5, max: 12}), fc.constant(33))),
  channels: fc.oneof(fc.constantFrom(1, 3, 16), channels),
  outputs: channels,
  filter: fc.oneof(square(side), pairOf(side)),
  strides: fc.oneof(square(stride), pairOf(stride)),
  seed: fc.nat(999),
});

const pictures = (tf: Tf, shape: readonly [number, number, number, number], seed: number): Tensor4D =>
  noise(tf, shape, seed).as4D(...shape);

test.runIf(tf)('the gradient by a filter equals its definition for any shape, stride and border', () => {
  if (!tf) return;
  const bordered = fc.record({convolution, border: pairOf(fc.nat(4)), reach: pairOf(fc.nat(3))});
  fc.assert(
    fc.property(bordered, ({convolution: {batch, sides, outputs, channels, filter, strides, seed}, border, reach}) => {
      tf.tidy(() => {
        // windows that end within the picture, at its end, or behind it
        const out = (axis: 0 | 1): number =>
          Math.max(1, Math.floor((sides[axis] + border[axis] + reach[axis] - filter[axis]) / strides[axis]) + 1);
        const x = pictures(tf, [batch, ...sides, channels], seed);
        const dy = pictures(tf, [batch, out(0), out(1), outputs], seed + 1);
        const windows: Windows = {filter, strides, border};
        const [is, should] = [filterGradientNative, filterGradientDefinition].map((gradient) => {
          const found = gradient(tf, x, dy, windows);
          expect(found.shape).toEqual([...filter, channels, outputs]);
          return found.dataSync<'float32'>();
        });
        expectLike([is ?? new Float32Array()], [should ?? new Float32Array()]);
      });
    }),
    {numRuns: 100, seed: 1},
  );
});

test.runIf(tf)('so many sums that blocks take several pictures each, and none at all, equal the definition too', () => {
  if (!tf) return;
  tf.tidy(() => {
    const windows: Windows = {filter: [3, 3], strides: [1, 1], border: [1, 1]};
    const [x, dy] = [pictures(tf, [9, 23, 23, 256], 1), pictures(tf, [9, 23, 23, 250], 2)];
    const [is, should] = [filterGradientNative, filterGradientDefinition].map((gradient) =>
      gradient(tf, x, dy, windows).dataSync<'float32'>(),
    );
    expectLike([is ?? new Float32Array()], [should ?? new Float32Array()]);
    const none = filterGradientNative(tf, tf.ones([2, 1, 1, 3]), tf.zeros([2, 0, 1, 5]), windows);
    expect(new Set(none.dataSync())).toEqual(new Set([0]));
  });
});

/** The gradient of a weighted sum of a convolution's outputs by its filter. */
function gradientBy(
  tf: Tf,
  {batch, sides, channels, outputs, filter, strides, seed}: Convolution,
  pad: 'same' | 'valid',
) {
  return tf.tidy(() => {
    const x = pictures(tf, [batch, ...sides, channels], seed);
    const w = pictures(tf, [...filter, channels, outputs], seed + 1);
    const sum = (kernel: Tensor) => {
      const y = tf.conv2d(x, kernel.as4D(...w.shape), strides, pad);
      return tf.sum(tf.mul(y, noise(tf, y.shape, seed + 2)));
    };
    return tf.grad(sum)(w).dataSync<'float32'>().slice();
  });
}

type Convolution = typeof convolution extends fc.Arbitrary<infer T> ? T : never;

test.runIf(tf)('conv2d has the gradient by its filter that it has on the cpu back end', async () => {
  const cases = fc.record({convolution, pad: fc.constantFrom('same' as const, 'valid' as const)});
  await fc.assert(
    fc.asyncProperty(cases, async ({convolution, pad}) => {
      // TensorFlow.js gives a border below 0 else, and its back ends differ in what they make of it
      fc.pre(pad === 'valid' || convolution.strides.every((stride, axis) => stride <= (convolution.filter[axis] ?? 0)));
      const small = {...convolution, batch: 2, channels: Math.min(convolution.channels, 5)};
      const should = gradientBy(await withBackend('cpu'), small, pad);
      const is = gradientBy(await withBackend('tensorflow'), small, pad);
      expectLike([is], [should], 1e-5);
    }),
    {numRuns: 30, seed: 1},
  );
});

test.runIf(tf)('a gradient of other pictures than those of x is refused', async () => {
  const tf = await withBackend('tensorflow');
  const windows: Windows = {filter: [3, 3], strides: [1, 1], border: [1, 1]};
  const x = tf.ones([2, 4, 4, 3]);
  expect(() => filterGradientNative(tf, x, tf.ones([3, 4, 4, 5]), windows)).toThrow('as many pictures');
  expect(() => filterGradientNative(tf, x, tf.ones([2, 16, 5]), windows)).toThrow('must be pictures');
  expect(() => filterGradientNative(tf, x, x, {...windows, strides: [0, 1]})).toThrow('must be positive');
});
