import {expect, test} from 'vitest';
import {encodeArtifact} from '../../src/artifact/encode.ts';
import type {Weights} from '../../src/artifact/kinds.ts';
import {StageError} from '../../src/stage/define-stage.ts';

const holding = (...values: number[]): Weights => ({
  model: {},
  preprocessor: {},
  tensors: [{name: 'head.weight', shape: [values.length], values: Float32Array.from(values)}],
});
const point = {split: 'test', loss: 1, error: 50, accuracy: 50, n: 10};

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'weights that hold %s are refused by tensor and index',
  (bad) => {
    const encode = () => encodeArtifact({kind: 'weights'}, holding(1, bad));
    expect(encode).toThrow(StageError);
    expect(encode).toThrow(/"head\.weight" holds -?(NaN|Infinity) at index 1/);
  },
);

test('NaN in a table is refused by column and row', () => {
  expect(() => encodeArtifact({kind: 'points'}, [point, {...point, loss: Number.NaN}])).toThrow(
    /Row 1 .* NaN in column "loss"/,
  );
});

test('an infinite loss is a number and is kept', () => {
  expect(encodeArtifact({kind: 'points'}, [{...point, loss: Number.POSITIVE_INFINITY}]).byteLength).toBeGreaterThan(0);
});

test('a cell that is not there is refused, and not written as NaN', () => {
  const {loss: _, ...rest} = point;
  expect(() => encodeArtifact({kind: 'points'}, [rest])).toThrow(/Row 0 .* nothing in column "loss"/);
});

test.each([0.5, 2 ** 31, '3'])('%s is no int32', (n) => {
  expect(() => encodeArtifact({kind: 'points'}, [{...point, n}])).toThrow(/column "n", which must hold a whole number/);
});

test('a misspelt cell names the nearest column', () => {
  expect(() => encodeArtifact({kind: 'points'}, [{...point, los: 1}])).toThrow(
    expect.objectContaining({message: expect.stringContaining('"los"'), hint: 'Did you mean "loss"?'}),
  );
});

test('a declared column cannot change the type of one of the kind', () => {
  expect(() => encodeArtifact({kind: 'points', columns: {n: 'utf8'}}, [])).toThrow(/"n" is declared as utf8/);
});

test('values that do not fill their shape, and two tensors of one name, are refused', () => {
  const [tensor] = holding(1, 2).tensors;
  if (!tensor) throw new Error('no tensor');
  expect(() => encodeArtifact({kind: 'weights'}, {...holding(), tensors: [{...tensor, shape: [3]}]})).toThrow(
    /must hold 3 values and holds 2/,
  );
  expect(() => encodeArtifact({kind: 'weights'}, {...holding(), tensors: [tensor, tensor]})).toThrow(
    /Two tensors are named/,
  );
});

test('a mask holds nothing but 0 and 1', () => {
  expect(() => encodeArtifact({kind: 'mask'}, {tensors: [{name: 'a', shape: [2], bits: Uint8Array.of(1, 2)}]})).toThrow(
    /holds 2 at index 1/,
  );
});

test('a value of another kind than declared is refused', () => {
  const kinds = [{kind: 'points'}, {kind: 'mask'}] as const;
  for (const output of kinds)
    expect(() => encodeArtifact<'weights' | 'mask' | 'points'>(output, holding(1))).toThrow(
      /declares an output of kind/,
    );
});
