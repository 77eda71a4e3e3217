import type {Tensor} from '@tensorflow/tfjs';
import {expect} from 'vitest';
import {hasNativeOperations} from '../../stages/tensor/fused/native.ts';
import type {Tf} from '../../stages/tensor/library.ts';
import {backends, withBackend} from '../rig/tensor-backends.ts';

/** An operation, as a function of tensors to one or several. */
export type Operation = (tf: Tf, ...inputs: readonly Tensor[]) => Tensor | readonly Tensor[];

/** The native back end where it is set up with our operations. */
export async function nativeOperations(): Promise<Tf | undefined> {
  const found = (await backends()).find(({name}) => name === 'tensorflow');
  if (!found) return undefined;
  const tf = await withBackend('tensorflow');
  return hasNativeOperations(tf) ? tf : undefined;
}

/** Values in ±`range` that anybody makes alike. */
export function noise(tf: Tf, shape: readonly number[], seed: number, range = 2): Tensor {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * range;
  };
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(Float32Array.from({length: size}, next), [...shape]);
}

/** Outputs of an operation and the gradients of a weighted sum of them, on the host. */
export function valuesAndGradients(tf: Tf, operation: Operation, inputs: readonly Tensor[]): Float32Array[] {
  return tf.tidy(() => {
    const outputsOf = (given: readonly Tensor[]): readonly Tensor[] => [operation(tf, ...given)].flat();
    const outputs = outputsOf(inputs);
    const weighted = (...given: Tensor[]): Tensor =>
      outputsOf(given)
        .map((output, i) => tf.sum(tf.mul(output, noise(tf, output.shape, 70 + i))))
        .reduce((sum, term) => tf.add(sum, term));
    return [...outputs, ...tf.grads(weighted)([...inputs])].map((tensor) => tensor.dataSync<'float32'>().slice());
  });
}

/** Fails where any value or gradient differs by more than `tolerance` of the largest one (at least 1) of its tensor. */
export function expectLike(actual: readonly Float32Array[], expected: readonly Float32Array[], tolerance = 5e-6): void {
  expect(actual.map(({length}) => length)).toEqual(expected.map(({length}) => length));
  const differences = actual.map((values, i) => {
    const should = expected[i] ?? new Float32Array();
    const scale = should.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
    return values.reduce((worst, value, at) => {
      const difference = Math.abs(value - (should[at] ?? Number.NaN)) / scale;
      return Math.max(worst, difference); // a NaN stays one
    }, 0);
  });
  expect(differences.every((difference) => difference <= tolerance) ? [] : differences).toEqual([]);
}
