import type {Tensor} from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {stepScalars} from '../../stages/lib/training/adamw.ts';
import {adamw, adamwDefinition} from '../../stages/tensor/fused/adamw.ts';
import {addNorm, addNormDefinition} from '../../stages/tensor/fused/add-norm.ts';
import {
  rowAttention,
  rowAttentionDefinition,
  selfAttention,
  selfAttentionDefinition,
} from '../../stages/tensor/fused/attention.ts';
import {batchNorm, batchNormDefinition} from '../../stages/tensor/fused/batch-norm.ts';
import {biasGelu, biasGeluDefinition} from '../../stages/tensor/fused/bias-gelu.ts';
import {groupNorm, groupNormDefinition} from '../../stages/tensor/fused/group-norm.ts';
import {layerNorm, layerNormDefinition} from '../../stages/tensor/fused/layer-norm.ts';
import {multiplyDefinition, multiplyNative} from '../../stages/tensor/fused/product.ts';
import {windowMean, windowMeanDefinition} from '../../stages/tensor/fused/window-mean.ts';
import type {Tf} from '../../stages/tensor/library.ts';
import {nativeOperations, noise, type Operation, valuesAndGradients} from './against-definition.ts';

const tf = await nativeOperations();

/** An operation beside its definition, and the shapes of what both take. */
interface Pair {
  readonly native: Operation;
  readonly definition: Operation;
  readonly shapes: readonly (readonly number[])[];
}

const given = (inputs: readonly Tensor[], index: number): Tensor => {
  const input = inputs[index];
  if (!input) throw new Error(`there is no input ${index}`);
  return input;
};

/** Both of `functions` with the same glue around them. */
const pair = <F>(
  [native, definition]: readonly [F, F],
  shapes: Pair['shapes'],
  glue: (run: F, library: Tf, input: (index: number) => Tensor) => Tensor | readonly Tensor[],
): Pair => {
  const operation =
    (run: F): Operation =>
    (library, ...inputs) =>
      glue(run, library, (index) => given(inputs, index));
  return {native: operation(native), definition: operation(definition), shapes};
};

const [heads, tokens, width] = [2, 5, 32];
const shape = {heads, tokens};
const picture: [number, number, number, number] = [2, 3, 3, 4];
const projected = (input: (index: number) => Tensor, at: number) => ({product: input(at), bias: input(at + 1)});

const PAIRS: Readonly<Record<string, Pair>> = {
  'attention of all rows': pair(
    [selfAttention, selfAttentionDefinition],
    [[2 * tokens, 3 * width], [3 * width]],
    (run, library, input) => run(library, projected(input, 0), shape),
  ),
  'attention of one row': pair(
    [rowAttention, rowAttentionDefinition],
    [[2, width], [width], [2 * tokens, 2 * width], [2 * width]],
    (run, library, input) => run(library, projected(input, 0), projected(input, 2), shape),
  ),
  'bias and GELU': pair([biasGelu, biasGeluDefinition], [[5, 20], [20]], (run, library, input) =>
    run(library, input(0), input(1)),
  ),
  'layer normalisation': pair([layerNorm, layerNormDefinition], [[5, 20], [20], [20]], (run, library, input) =>
    run(library, input(0), {gain: input(1), shift: input(2), epsilon: 1e-6}),
  ),
  'sum and layer normalisation': pair(
    [addNorm, addNormDefinition],
    [[5, 20], [20], [5, 20], [20], [20]],
    (run, library, input) => {
      const norm = {gain: input(3), shift: input(4), epsilon: 1e-6};
      const {sum, normal} = run(library, {...projected(input, 0), residual: input(2)}, norm);
      return [sum, normal];
    },
  ),
  'group normalisation': pair([groupNorm, groupNormDefinition], [picture, [4], [4], picture], (run, library, input) => {
    const [x, residual] = [input(0).as4D(...picture), input(3).as4D(...picture)];
    return run(library, x, {gain: input(1), shift: input(2), epsilon: 1e-5, residual, groups: 2, rectify: false});
  }),
  'batch normalisation': pair([batchNorm, batchNormDefinition], [picture, [4], [4], picture], (run, library, input) => {
    const [x, residual] = [input(0).as4D(...picture), input(3).as4D(...picture)];
    return run(library, x, {gain: input(1), shift: input(2), epsilon: 1e-5, residual, rectify: false}).pictures;
  }),
};

/** Which numbers of each tensor are finite. */
const finite = (tensors: readonly Float32Array[]): readonly string[] =>
  tensors.map((values) => Array.from(values, (value) => (Number.isFinite(value) ? '.' : 'X')).join(''));

/** Noise with one value replaced. */
function spoilt(library: Tf, shapes: Pair['shapes'], where: number, value: number): Tensor[] {
  return shapes.map((each, index) => {
    const values = noise(library, each, index + 1)
      .dataSync<'float32'>()
      .slice();
    if (index === where) values.fill(value, 1, 2);
    return library.tensor(values, [...each]);
  });
}

const VALUES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

test.runIf(tf).each(Object.entries(PAIRS))(
  '%s: what is no finite number by the definition is none natively, in value and gradients',
  (_name, {native, definition, shapes}) => {
    if (!tf) return;
    for (const where of shapes.keys())
      for (const value of VALUES)
        tf.tidy(() => {
          const inputs = spoilt(tf, shapes, where, value);
          const [is, should] = [native, definition].map((each) => finite(valuesAndGradients(tf, each, inputs)));
          expect(is, `input ${where} with ${value}`).toEqual(should);
        });
  },
);

test.runIf(tf)('a score that overflows makes its row of attention no number, as by the definition', () => {
  if (!tf) return;
  tf.tidy(() => {
    const {native, definition, shapes} = PAIRS['attention of all rows'] ?? {shapes: []};
    if (!native || !definition) throw new Error('there is no attention');
    const [product, bias] = shapes.map((each, index) => noise(tf, each, index + 1));
    if (!product || !bias) throw new Error('too few inputs');
    const values = product.dataSync<'float32'>().slice();
    values.fill(1e30, 0, width / heads); // the first head's query of the first row
    for (let row = 0; row < tokens; row++)
      values.fill(1e30, (3 * row + 1) * width, (3 * row + 1) * width + width / heads);
    const inputs = [tf.tensor(values, [...product.shape]), bias];
    const [is, should] = [native, definition].map((each) => valuesAndGradients(tf, each, inputs));
    expect(is?.[0]?.slice(0, width / heads).every(Number.isNaN)).toBe(true);
    expect(finite(is ?? [])).toEqual(finite(should ?? []));
  });
});

test.runIf(tf).each(['fp32', 'bf16', 'bf16 by emulated tiles'] as const)(
  'a product in %s: what is no finite number by the definition is none natively',
  (arithmetic) => {
    if (!tf) return;
    const shapes = [
      [20, 33],
      [33, 18],
    ];
    for (const where of shapes.keys())
      for (const value of VALUES)
        tf.tidy(() => {
          const inputs = spoilt(tf, shapes, where, value);
          const [a, b] = [given(inputs, 0), given(inputs, 1)];
          const precision = arithmetic === 'fp32' ? 'fp32' : 'bf16';
          const is = multiplyNative(tf, a, b, {}, arithmetic).dataSync<'float32'>();
          const should = multiplyDefinition(tf, a, b, {precision}).dataSync<'float32'>();
          expect(finite([is]), `operand ${where} with ${value}`).toEqual(finite([should]));
        });
  },
);

test.runIf(tf)('optimizer and window of PLATON: what is no finite number by the definition is none natively', () => {
  if (!tf) return;
  const shapes = [[40], [40], [40], [40]];
  for (const where of shapes.keys())
    for (const value of VALUES)
      for (const clip of [null, 1])
        tf.tidy(() => {
          const [flat, m, v, gradient] = spoilt(tf, shapes, where, value).map((tensor) => tensor.as1D());
          if (!flat || !m || !v || !gradient) throw new Error('too few inputs');
          const state = {flat, m, v: where === 2 ? v : tf.abs<typeof v>(v)};
          const update = {gradient, clip, scalars: stepScalars(tf, 3, 1e-3, 0.1)};
          const [is, should] = [adamw, adamwDefinition].map((each) => {
            const next = each(tf, state, update);
            return finite([next.flat, next.m, next.v].map((tensor) => tensor.dataSync<'float32'>()));
          });
          expect(is, `input ${where} with ${value}, clip ${clip}`).toEqual(should);
          const step = {window: m, weights: flat, gradient, place: tf.scalar(2)};
          const [mean, meanShould] = [windowMean, windowMeanDefinition].map((each) =>
            finite([each(tf, step).dataSync<'float32'>()]),
          );
          expect(mean, `window, input ${where} with ${value}`).toEqual(meanShould);
        });
});
