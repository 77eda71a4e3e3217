import fc from 'fast-check';
import {test} from 'vitest';
import {
  type Projected,
  rowAttention,
  rowAttentionDefinition,
  selfAttention,
  selfAttentionDefinition,
} from '../../stages/tensor/fused/attention.ts';
import {expectLike, nativeOperations, noise, type Operation, valuesAndGradients} from './against-definition.ts';

const tf = await nativeOperations();

type Shape = Parameters<typeof selfAttention>[2];

const all =
  (operation: typeof selfAttention, shape: Shape): Operation =>
  (library, ...inputs) => {
    const [product, bias] = inputs;
    if (!product || !bias) throw new Error('too few inputs');
    return operation(library, {product, bias}, shape);
  };

const one =
  (operation: typeof rowAttention, shape: Shape): Operation =>
  (library, ...inputs) => {
    const [query, queryBias, kv, kvBias] = inputs;
    if (!query || !queryBias || !kv || !kvBias) throw new Error('too few inputs');
    const [q, k]: Projected[] = [
      {product: query, bias: queryBias},
      {product: kv, bias: kvBias},
    ];
    if (!q || !k) throw new Error('no projections');
    return operation(library, q, k, shape);
  };

/** Heads of 8 and 24 do not fit the native operation, which then leaves the work to the definition. */
const problem = fc.record({
  images: fc.integer({min: 1, max: 3}),
  heads: fc.integer({min: 1, max: 3}),
  tokens: fc.oneof(fc.integer({min: 1, max: 40}), fc.constantFrom(65, 80, 97, 197)),
  size: fc.constantFrom(8, 16, 24, 32, 48, 64, 80),
  seed: fc.nat(999),
});

test.runIf(tf)('attention of all rows, and of one row of each image, equals its definition for any shape', () => {
  if (!tf) return;
  fc.assert(
    fc.property(problem, ({images, heads, tokens, size, seed}) => {
      tf.tidy(() => {
        const width = heads * size;
        const shape = {heads, tokens};
        const matrix = (rows: number, parts: number) => [
          noise(tf, [rows, parts * width], seed + parts, 1.5),
          noise(tf, [parts * width], seed + parts + 10, 0.5),
        ];
        const qkv = matrix(images * tokens, 3);
        expectLike(
          valuesAndGradients(tf, all(selfAttention, shape), qkv),
          valuesAndGradients(tf, all(selfAttentionDefinition, shape), qkv),
          1e-5,
        );
        const queryAndKv = [...matrix(images, 1), ...matrix(images * tokens, 2)];
        expectLike(
          valuesAndGradients(tf, one(rowAttention, shape), queryAndKv),
          valuesAndGradients(tf, one(rowAttentionDefinition, shape), queryAndKv),
          1e-5,
        );
      });
    }),
    {numRuns: 25, seed: 1},
  );
});
