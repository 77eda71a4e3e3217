import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {isWasm, product} from './kernel.ts';

const KERNEL = 'SplitV';

/** The sizes of the parts along an axis; at most one size may be −1, which stands for the rest. */
function partSizes(length: number, asked: unknown): readonly number[] {
  if (typeof asked === 'number') return Array.from({length: asked}, () => length / asked);
  if (!Array.isArray(asked)) throw new Error('Internal error: a split into neither a number nor sizes');
  const sizes = asked.map(Number);
  const rest = length - sizes.reduce((sum, size) => sum + Math.max(size, 0), 0);
  return sizes.map((size) => (size < 0 ? rest : size));
}

/**
 * Replaces the wasm back end's split. It makes slices, each of which first copies the whole input out of the module's
 * memory (tfjs-backend-wasm 4.22), so that cutting one vector into many parts is quadratic; here each part is copied once.
 */
export function replaceSplit(tf: Tf): void {
  const original = tf.getKernel(KERNEL, 'wasm');
  if (!original) throw new Error('Internal error: the wasm back end has no split');

  const kernelFunc: KernelFunc = (call) => {
    const {x} = call.inputs;
    const {backend, attrs} = call;
    if (!x || !isWasm(backend)) throw new Error('Internal error: a split without an operand or back end');
    if (x.dtype !== 'float32' && x.dtype !== 'int32' && x.dtype !== 'bool') return original.kernelFunc(call);
    const axis = (Number(attrs?.axis) + x.shape.length) % x.shape.length;
    const length = x.shape[axis] ?? 1;
    const outer = product(x.shape.slice(0, axis));
    const inner = product(x.shape.slice(axis + 1));
    let begin = 0;
    return partSizes(length, attrs?.numOrSizeSplits).map((size): TensorInfo => {
      const part = backend.makeOutput(x.shape.with(axis, size), x.dtype);
      // Making an output can grow the module's memory, which detaches every earlier view of it.
      const [from, to] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(part)];
      const row = size * inner;
      for (let i = 0; i < outer; i++) {
        const start = (i * length + begin) * inner;
        to.set(from.subarray(start, start + row), i * row);
      }
      begin += size;
      return part;
    });
  };
  tf.unregisterKernel(KERNEL, 'wasm');
  tf.registerKernel({...original, kernelFunc});
}
