import type {Tensor4D} from '@tensorflow/tfjs';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {batchNorm, batchNormDefinition} from '../../stages/tensor/fused/batch-norm.ts';
import {expectLike, nativeOperations, noise, type Operation, valuesAndGradients} from './against-definition.ts';

const tf = await nativeOperations();

type Shape = readonly [number, number, number, number];

/** Of pictures, gain, shift and, where there is one, a residual. */
const norm =
  (operation: typeof batchNorm, shape: Shape, rectify: boolean): Operation =>
  (library, ...inputs) => {
    const [x, gain, shift, residual] = inputs;
    if (!x || !gain || !shift) throw new Error('too few inputs');
    const pictures = (flat: typeof x): Tensor4D => flat.as4D(...shape);
    const after = {residual: residual && pictures(residual), rectify};
    return operation(library, pictures(x), {...{gain, shift, epsilon: 1e-5}, ...after}).pictures;
  };

/** Channels have at least three values: two become ±1 and their gradient is rounding alone, so they are no test. */
const shapes = fc.record({
  shape: fc.tuple(
    ...[fc.integer({min: 1, max: 6}), fc.integer({min: 1, max: 17}), fc.integer({min: 3, max: 13})],
    fc.constantFrom(1, 3, 16, 17, 48),
  ),
  added: fc.boolean(),
  rectify: fc.boolean(),
  seed: fc.nat(999),
});

test.runIf(tf)('batch normalisation, with and without residual and ReLU, equals its definition for any shape', () => {
  if (!tf) return;
  fc.assert(
    fc.property(shapes, ({shape: [batch = 1, height = 1, width = 1, channels = 1], added, rectify, seed}) => {
      tf.tidy(() => {
        const shape: Shape = [batch, height, width, channels];
        const pictures = (at: number) => noise(tf, shape, at);
        const vector = (at: number) => noise(tf, [channels], at);
        const inputs = [pictures(seed), vector(seed + 1), vector(seed + 2), ...(added ? [pictures(seed + 3)] : [])];
        const [is, should] = [batchNorm, batchNormDefinition].map((operation) =>
          valuesAndGradients(tf, norm(operation, shape, rectify), inputs),
        );
        expectLike(is ?? [], should ?? [], 2e-5);
      });
    }),
    {numRuns: 40, seed: 1},
  );
});

test.runIf(tf)('statistics of a batch whose mean is far from 0 are those of float64', () => {
  if (!tf) return;
  tf.tidy(() => {
    const channels = 5;
    const x: Tensor4D = tf.add(noise(tf, [7, 40, 40, channels], 1), 100);
    const norm = {gain: tf.ones([channels]), shift: tf.zeros([channels]), epsilon: 1e-5, rectify: false};
    const {mean, variance} = batchNorm(tf, x, norm).statistics;
    const values = x.dataSync<'float32'>();
    for (let channel = 0; channel < channels; channel++) {
      const own = [...values.filter((_, at) => at % channels === channel)];
      const middle = own.reduce((sum, value) => sum + value, 0) / own.length;
      const spread = own.reduce((sum, value) => sum + (value - middle) ** 2, 0) / own.length;
      expect(mean.dataSync()[channel]).toBeCloseTo(middle, 4);
      expect(variance.dataSync()[channel]).toBeCloseTo(spread, 5);
    }
  });
});
