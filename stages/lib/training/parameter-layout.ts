import type {Tensor1D} from '@tensorflow/tfjs';
import type {NamedTensor} from '../../../src/artifact/kinds.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {Tf} from '../../tensor/library.ts';
import type {ParameterShape, ParameterTensors} from '../models/model.ts';

interface LayoutEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
  readonly prunable: boolean;
}

/**
 * Where each parameter lies in one flat vector. Training works on that vector, so an optimizer, a norm or a mask is a few
 * operations however many tensors there are; what can be pruned comes first, as one stretch, and running statistics last.
 */
export interface ParameterLayout {
  /** Prunable ones first, buffers last; sorted by name within each part. */
  readonly entries: readonly LayoutEntry[];
  readonly size: number;
  /** Length of the prunable front. */
  readonly prunable: number;
  /** Length of the front that has gradients: all but the buffers. */
  readonly trainable: number;
}

export function layoutOf(parameters: readonly ParameterShape[]): ParameterLayout {
  const entries: LayoutEntry[] = [];
  let offset = 0;
  let prunable = 0;
  let trainable = 0;
  const ordered = [
    ...parameters.filter((p) => p.prunable),
    ...parameters.filter((p) => !p.prunable && !p.buffer),
    ...parameters.filter((p) => p.buffer),
  ];
  for (const parameter of ordered) {
    const size = parameter.shape.reduce((product, axis) => product * axis, 1);
    entries.push({name: parameter.name, shape: parameter.shape, offset, size, prunable: parameter.prunable});
    offset += size;
    if (parameter.prunable) prunable = offset;
    if (!parameter.buffer) trainable = offset;
  }
  return {entries, size: offset, prunable, trainable};
}

/** The flat vector of tensors that must be exactly those of the layout. */
export function pack(layout: ParameterLayout, tensors: readonly NamedTensor[]): Float32Array {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const flat = new Float32Array(layout.size);
  for (const entry of layout.entries) {
    const tensor = byName.get(entry.name);
    if (!tensor || !sameShape(tensor.shape, entry.shape) || tensor.values.length !== entry.size) {
      throw new StageError(
        `The weights do not fit their model: ${entry.name} should be [${entry.shape.join(', ')}] and is ${tensor ? `[${tensor.shape.join(', ')}]` : 'missing'}.`,
        'They come from another configuration: load them again.',
      );
    }
    flat.set(tensor.values, entry.offset);
  }
  if (byName.size > layout.entries.length) {
    const known = new Set(layout.entries.map((entry) => entry.name));
    const extra = [...byName.keys()].filter((name) => !known.has(name));
    throw new StageError(
      `The weights hold tensors that their model does not know: ${extra.join(', ')}.`,
      'Load them again.',
    );
  }
  return flat;
}

/** The tensors of a flat vector, sorted by name; each has its own memory. */
export function unpack(layout: ParameterLayout, flat: Float32Array): NamedTensor[] {
  return layout.entries
    .map(({name, shape, offset, size}) => ({name, shape, values: flat.slice(offset, offset + size)}))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The parameters of a flat vector by name. Its gradient is one concatenation, whatever the number of parameters. */
export function split(tf: Tf, layout: ParameterLayout, flat: Tensor1D): ParameterTensors {
  const sizes = layout.entries.map(({size}) => size);
  const parts = sizes.length === 1 ? [flat] : tf.split(flat, sizes); // into one part, tfjs 4.22 fails in the gradient
  return Object.fromEntries(
    layout.entries.map((entry, index) => {
      const part = parts[index];
      if (!part) throw new Error('Internal error: a flat vector shorter than its layout');
      return [entry.name, entry.shape.length === 1 ? part : tf.reshape(part, [...entry.shape])];
    }),
  );
}

/** 1 where a weight decays and 0 at biases and norms: whatever has fewer than two axes. */
export function decayingWeights(layout: ParameterLayout): Float32Array {
  const decays = new Float32Array(layout.size);
  for (const {shape, offset, size} of layout.entries) if (shape.length >= 2) decays.fill(1, offset, offset + size);
  return decays;
}

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);
