import type {Tensor4D} from '@tensorflow/tfjs';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {groupNorm, groupNormDefinition} from '../../stages/tensor/fused/group-norm.ts';
import {expectLike, nativeOperations, noise, type Operation, valuesAndGradients} from './against-definition.ts';

const tf = await nativeOperations();

interface What {
  readonly shape: readonly [number, number, number, number];
  readonly groups: number;
  readonly rectify: boolean;
}

/** Of pictures, gain, shift and, where there is one, a residual. */
const norm =
  (operation: typeof groupNorm, {shape, groups, rectify}: What): Operation =>
  (library, ...inputs) => {
    const [x, gain, shift, residual] = inputs;
    if (!x || !gain || !shift) throw new Error('too few inputs');
    const pictures = (flat: typeof x): Tensor4D => flat.as4D(...shape);
    return operation(library, pictures(x), {
      ...{gain, shift, epsilon: 1e-5, groups, rectify},
      residual: residual && pictures(residual),
    });
  };

/** Groups have at least three values: two become ±1 and their gradient is rounding alone, so they are no test. */
const shapes = fc
  .record({
    batch: fc.integer({min: 1, max: 5}),
    height: fc.integer({min: 1, max: 13}),
    width: fc.integer({min: 3, max: 9}),
    groups: fc.constantFrom(1, 2, 3, 8, 17),
    each: fc.constantFrom(1, 2, 3, 5, 16),
    added: fc.boolean(),
    rectify: fc.boolean(),
    seed: fc.nat(999),
  })
  .map(({batch, height, width, groups, each, ...rest}) => ({
    shape: [batch, height, width, groups * each] as const,
    groups,
    ...rest,
  }));

test.runIf(tf)('group normalisation, with and without residual and ReLU, equals its definition for any shape', () => {
  if (!tf) return;
  fc.assert(
    fc.property(shapes, ({added, seed, ...what}) => {
      tf.tidy(() => {
        const [channels] = what.shape.slice(-1);
        const pictures = (at: number) => noise(tf, what.shape, at);
        const vector = (at: number) => noise(tf, [channels ?? 0], at);
        const inputs = [pictures(seed), vector(seed + 1), vector(seed + 2), ...(added ? [pictures(seed + 3)] : [])];
        const [is, should] = [groupNorm, groupNormDefinition].map((operation) =>
          valuesAndGradients(tf, norm(operation, what), inputs),
        );
        expectLike(is ?? [], should ?? [], 2e-5);
      });
    }),
    {numRuns: 40, seed: 1},
  );
});

test.runIf(tf)('a mean far from 0, and a picture of many pixels, lose nothing of the normal form', () => {
  if (!tf) return;
  tf.tidy(() => {
    const side = 96;
    const pictures: Tensor4D = tf.add(noise(tf, [1, side, side, 3], 1), 1000);
    const [gain, shift] = [tf.ones([3]), tf.zeros([3])];
    const found = groupNorm(tf, pictures, {groups: 1, gain, shift, epsilon: 0, rectify: false}).dataSync<'float32'>();
    const given = pictures.dataSync<'float32'>();
    const mean = given.reduce((sum, x) => sum + x, 0) / given.length;
    const variance = given.reduce((sum, x) => sum + (x - mean) ** 2, 0) / given.length;
    const should = Float32Array.from(given, (x) => (x - mean) / Math.sqrt(variance));
    // a float32 mean near 1000 has steps of 5e-5 of a value here; the definition's sums lose 1e-3
    expectLike([found], [should], 1e-4);
  });
});

test.runIf(tf)('what is no number stays none behind ReLU, and groups that do not divide are refused', () => {
  if (!tf) return;
  tf.tidy(() => {
    const norm = {gain: tf.ones([4]), shift: tf.zeros([4]), epsilon: 1e-5, rectify: true};
    const pictures = tf.fill([1, 2, 2, 4], Number.NaN).as4D(1, 2, 2, 4);
    expect([...groupNorm(tf, pictures, {...norm, groups: 2}).dataSync()].every(Number.isNaN)).toBe(true);
    expect(() => groupNorm(tf, pictures, {...norm, groups: 3})).toThrow('groups must divide the channels');
  });
});
