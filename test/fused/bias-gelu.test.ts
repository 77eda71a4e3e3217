import fc from 'fast-check';
import {expect, test} from 'vitest';
import {biasGelu, biasGeluDefinition} from '../../stages/tensor/fused/bias-gelu.ts';
import {expectLike, nativeOperations, noise, valuesAndGradients} from './against-definition.ts';

const tf = await nativeOperations();

test.runIf(tf)('bias and GELU in one pass equal their definition, in value and gradients, for any shape', () => {
  if (!tf) return;
  fc.assert(
    fc.property(fc.integer({min: 1, max: 70}), fc.integer({min: 1, max: 50}), fc.nat(999), (rows, columns, seed) => {
      tf.tidy(() => {
        const inputs = [noise(tf, [rows, columns], seed, 6), noise(tf, [columns], seed + 1)];
        expectLike(valuesAndGradients(tf, biasGelu, inputs), valuesAndGradients(tf, biasGeluDefinition, inputs));
      });
    }),
    {numRuns: 20, seed: 1},
  );
});

test.runIf(tf)('far from zero GELU is x or nothing, and what is not finite stays so', () => {
  if (!tf) return;
  const u = tf.tensor2d([[-1e30, -40, 40, 1e30, Number.NaN, Number.POSITIVE_INFINITY]]);
  const values = biasGelu(tf, u, tf.zeros([6])).dataSync();
  expect([...values]).toEqual([-0, -0, 40, Math.fround(1e30), Number.NaN, Number.POSITIVE_INFINITY]);
});
