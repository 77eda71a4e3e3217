import type {Tensor1D} from '@tensorflow/tfjs';
import type {Mask} from '../../../src/artifact/kinds.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {vectorOf} from '../../tensor/capture/named.ts';
import type {Tf} from '../../tensor/library.ts';
import type {TrainingHook} from '../training/hook.ts';
import {type ParameterLayout, sameShape} from '../training/parameter-layout.ts';

/** The mask of the layout's prunable tensors from the bits of its prunable front. */
export function maskOf(layout: ParameterLayout, bits: Uint8Array): Mask {
  const tensors = layout.entries
    .filter(({prunable}) => prunable)
    .map(({name, shape, offset, size}) => ({name, shape, bits: bits.slice(offset, offset + size)}));
  return {tensors: tensors.sort((a, b) => (a.name < b.name ? -1 : 1))};
}

/** One bit for each parameter of the layout; tensors that the mask does not name are kept whole. */
export function bitsOf(layout: ParameterLayout, mask: Mask): Uint8Array {
  const entries = new Map(layout.entries.map((entry) => [entry.name, entry]));
  const bits = new Uint8Array(layout.size).fill(1);
  for (const {name, shape, bits: given} of mask.tensors) {
    const entry = entries.get(name);
    if (!entry || !sameShape(entry.shape, shape) || given.length !== entry.size) {
      const found = entry ? `is [${entry.shape.join(', ')}] in the weights` : 'is not among the weights';
      throw new StageError(
        `The mask does not fit the weights: ${name} [${shape.join(', ')}] ${found}.`,
        'Take mask and weights from the same architecture.',
      );
    }
    bits.set(given, entry.offset);
  }
  return bits;
}

/** `flat` with 0 where the bool `kept` is false. A product would leave −0 and keep NaN. */
export const masked = (tf: Tf, kept: Tensor1D, flat: Tensor1D): Tensor1D => tf.where(kept, flat, tf.zerosLike(flat));

/** The same of values in memory, a bit each. */
export const zeroed = (values: Float32Array, bits: Uint8Array): Float32Array =>
  values.map((value, index) => (bits[index] === 1 ? value : 0));

/** Trains under a fixed mask: weights start masked, gradients are masked, and weights again after each update. */
export function fixedMask(tf: Tf, kept: Tensor1D): TrainingHook {
  return {
    start: (flat) => masked(tf, kept, flat),
    inputs: () => ({kept}),
    afterGradients: (gradient, inputs) => masked(tf, vectorOf(inputs, 'kept'), gradient),
    afterUpdate: (flat, _gradient, inputs) => ({flat: masked(tf, vectorOf(inputs, 'kept'), flat)}),
  };
}

/** How much is kept: of the weights that can be pruned, and of all parameters. */
interface Kept {
  readonly kept: number;
  readonly kept_of_network: number;
}
export const KEPT_COLUMNS = {kept: 'float64', kept_of_network: 'float64'} as const;

/** The mask that a network shows by itself: prunable weights that are exactly 0 count as removed. */
export function nonZero(layout: ParameterLayout, flat: Float32Array): Uint8Array {
  const bits = new Uint8Array(flat.length).fill(1);
  for (let index = 0; index < layout.prunable; index++) if (flat[index] === 0) bits[index] = 0;
  return bits;
}

/** Fractions kept, from one bit for each parameter of the layout; running statistics are no parameters. */
export function keptFractions(layout: ParameterLayout, bits: Uint8Array): Kept {
  const prunable = ones(bits, 0, layout.prunable);
  const all = prunable + ones(bits, layout.prunable, layout.trainable);
  return {kept: layout.prunable === 0 ? 1 : prunable / layout.prunable, kept_of_network: all / layout.trainable};
}

function ones(bits: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let index = from; index < to; index++) count += bits[index] ?? 0;
  return count;
}
