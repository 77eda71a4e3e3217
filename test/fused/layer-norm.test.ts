import fc from 'fast-check';
import {test} from 'vitest';
import {addNorm, addNormDefinition} from '../../stages/tensor/fused/add-norm.ts';
import {layerNorm, layerNormDefinition} from '../../stages/tensor/fused/layer-norm.ts';
import {expectLike, nativeOperations, noise, type Operation, valuesAndGradients} from './against-definition.ts';

const tf = await nativeOperations();

const norm =
  (operation: typeof layerNorm): Operation =>
  (library, ...inputs) => {
    const [x, gain, shift] = inputs;
    if (!x || !gain || !shift) throw new Error('too few inputs');
    return operation(library, x, {gain, shift, epsilon: 1e-6});
  };

const sumAndNorm =
  (operation: typeof addNorm): Operation =>
  (library, ...inputs) => {
    const [product, bias, residual, gain, shift] = inputs;
    if (!product || !bias || !residual || !gain || !shift) throw new Error('too few inputs');
    const {sum, normal} = operation(library, {product, bias, residual}, {gain, shift, epsilon: 1e-6});
    return [sum, normal];
  };

/** Rows of two elements are ±1 after normalisation and their gradient is rounding alone, so they are no test. */
const shapes = fc.property(
  fc.integer({min: 1, max: 70}),
  fc.integer({min: 3, max: 50}),
  fc.nat(999),
  (rows, columns, seed) => {
    if (!tf) return;
    tf.tidy(() => {
      const matrices = [noise(tf, [rows, columns], seed), noise(tf, [rows, columns], seed + 1)];
      const [gain, shift, bias] = [2, 3, 4].map((i) => noise(tf, [columns], seed + i));
      const [x, residual] = matrices;
      if (!x || !residual || !gain || !shift || !bias) throw new Error('no inputs');
      for (const [native, definition, inputs] of [
        [norm(layerNorm), norm(layerNormDefinition), [x, gain, shift]],
        [sumAndNorm(addNorm), sumAndNorm(addNormDefinition), [x, bias, residual, gain, shift]],
      ] as const) {
        expectLike(valuesAndGradients(tf, native, inputs), valuesAndGradients(tf, definition, inputs), 2e-5);
      }
    });
  },
);

test.runIf(tf)('layer normalisation, alone and after a sum, equals its definition for any shape', () => {
  fc.assert(shapes, {numRuns: 20, seed: 1});
});
