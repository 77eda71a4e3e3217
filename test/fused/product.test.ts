import fc from 'fast-check';
import {expect, test} from 'vitest';
import {multiply, multiplyDefinition, multiplyNative, type ProductForm} from '../../stages/tensor/fused/product.ts';
import type {Tf} from '../../stages/tensor/library.ts';
import {backends, withBackend} from '../rig/tensor-backends.ts';
import {expectLike, nativeOperations, noise} from './against-definition.ts';

const tf = await nativeOperations();

interface Shape extends ProductForm {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Longer than a block of the summed axis, wider than two panels, higher than a task: and everything below. */
const shapes: fc.Arbitrary<Shape> = fc.record({
  rows: fc.oneof(fc.integer({min: 1, max: 70}), fc.integer({min: 750, max: 800})),
  inner: fc.oneof(fc.integer({min: 1, max: 40}), fc.integer({min: 500, max: 1100})),
  columns: fc.integer({min: 1, max: 150}),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
});

function operandsOf(tf: Tf, {rows, inner, columns, transposeA = false, transposeB = false}: Shape, seed: number) {
  const a = noise(tf, transposeA ? [inner, rows] : [rows, inner], seed);
  const b = noise(tf, transposeB ? [columns, inner] : [inner, columns], seed + 1);
  return {a, b};
}

const PRECISIONS = [
  ['fp32', 'fp32'],
  ['bf16', 'bf16'],
  ['bf16', 'bf16 by emulated tiles'],
] as const;

test.runIf(tf).each(PRECISIONS)(
  'a product in %s, computed as %s, equals its definition for any shape',
  (precision, arithmetic) => {
    if (!tf) return;
    fc.assert(
      fc.property(shapes, fc.nat(999), (shape, seed) => {
        tf.tidy(() => {
          const {a, b} = operandsOf(tf, shape, seed);
          const computed = multiplyNative(tf, a, b, shape, arithmetic);
          expect(computed.shape).toEqual([shape.rows, shape.columns]);
          const expected = multiplyDefinition(tf, a, b, {...shape, precision});
          expectLike([computed.dataSync<'float32'>()], [expected.dataSync<'float32'>()], 3e-6);
        });
      }),
      {numRuns: 15, seed: 1},
    );
  },
);

test('bf16 rounds to the nearest, ties to even, by the definition on every back end and by the operation', async () => {
  const bits = Uint32Array.of(
    0x3f800000,
    0x3f808000,
    0x3f818000,
    0x3f807fff,
    0x3f808001,
    0xbf808000,
    0x00000000,
    0x40490fdb,
  );
  const rounded = Uint32Array.of(
    0x3f800000,
    0x3f800000,
    0x3f820000,
    0x3f800000,
    0x3f810000,
    0xbf800000,
    0x00000000,
    0x40490000,
  );
  for (const {name} of await backends()) {
    const tf = await withBackend(name);
    const column = tf.tensor2d(new Float32Array(bits.buffer), [bits.length, 1]);
    const one = tf.ones([1, 1]);
    for (const multiplied of [multiply, multiplyDefinition]) {
      const values = multiplied(tf, column, one, {precision: 'bf16'}).dataSync<'float32'>();
      expect([...values]).toEqual([...new Float32Array(rounded.buffer)]);
    }
  }
});
