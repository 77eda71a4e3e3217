import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';
import type {BackendWasm} from '@tensorflow/tfjs-backend-wasm';
import type {Tf} from '../library.ts';
import {isWasm, product} from './kernel.ts';
import {FLOAT_BYTES, type Matrix, type MatrixProducts} from './matrix-product.ts';

const KERNEL = 'BatchMatMul';

/** A stack of matrices of which the first is described, the others follow it in memory. */
interface Stack extends Matrix {
  readonly dims: readonly number[];
}

/** For each matrix of a broadcast stack, which matrix of a smaller stack it takes. */
function broadcastIndices(from: readonly number[], to: readonly number[]): readonly number[] {
  return Array.from({length: product(to)}, (_, flat) => {
    let rest = flat;
    let index = 0;
    let stride = 1;
    for (let i = 1; i <= to.length; i++) {
      const size = to[to.length - i] ?? 1;
      const own = from[from.length - i] ?? 1;
      if (own > 1) index += (rest % size) * stride;
      stride *= own;
      rest = Math.floor(rest / size);
    }
    return index;
  });
}

/** The dimensions of the stack that two stacks broadcast to. */
function broadcastDims(left: readonly number[], right: readonly number[]): number[] {
  const length = Math.max(left.length, right.length);
  return Array.from({length}, (_, i) => {
    const [l, r] = [left[left.length - length + i] ?? 1, right[right.length - length + i] ?? 1];
    if (l !== r && l !== 1 && r !== 1) throw new Error(`matMul: shapes [${left}] and [${right}] do not broadcast`);
    return l === 1 ? r : l;
  });
}

function stackOf(backend: BackendWasm, {shape, dataId}: TensorInfo, transposed: boolean): Stack {
  const [rows = 1, columns = 1] = shape.slice(-2);
  const address = backend.getMemoryOffset(dataId);
  const dims = shape.slice(0, -2);
  const stride = columns * FLOAT_BYTES;
  return transposed
    ? {dims, rows: columns, columns: rows, rowStride: FLOAT_BYTES, columnStride: stride, address}
    : {dims, rows, columns, rowStride: stride, columnStride: FLOAT_BYTES, address};
}

/** A stack of matrices in C order as one tall matrix. */
const tall = (stack: Stack): Stack => ({...stack, dims: [], rows: product(stack.dims) * stack.rows});

const matrixOf = (stack: Stack, index: number): Matrix => ({
  ...stack,
  address: stack.address + index * stack.rows * stack.columns * FLOAT_BYTES,
});

/**
 * Replaces the wasm back end's matrix product, which is fast for [1,M,K]×[1,K,N] only and a naive loop, ten times slower,
 * for batches and transposed operands. A batch times one matrix is a single, taller product.
 */
export function replaceBatchMatMul(tf: Tf, products: MatrixProducts): void {
  const original = tf.getKernel(KERNEL, 'wasm');
  if (!original) throw new Error('Internal error: the wasm back end has no matrix product');

  const kernelFunc: KernelFunc = ({inputs, attrs, backend}) => {
    const {a, b} = inputs;
    if (!a || !b || !isWasm(backend)) throw new Error('Internal error: a matrix product without operands or back end');
    if (a.dtype !== 'float32' || b.dtype !== 'float32') {
      throw new Error(`matMul of ${a.dtype} and ${b.dtype}: the wasm back end multiplies float32 only`);
    }
    const given = stackOf(backend, a, attrs?.transposeA === true);
    const right = stackOf(backend, b, attrs?.transposeB === true);
    if (given.columns !== right.rows) throw new Error(`matMul: shapes [${a.shape}] and [${b.shape}] do not fit`);
    const dims = broadcastDims(given.dims, right.dims);
    const out = backend.makeOutput([...dims, given.rows, right.columns], 'float32');
    const [left, stack] = product(right.dims) === 1 && !attrs?.transposeA ? [tall(given), []] : [given, dims];

    backend.typedArrayFromHeap(out).fill(0);
    const address = backend.getMemoryOffset(out.dataId);
    const [lefts, rights] = [broadcastIndices(left.dims, stack), broadcastIndices(right.dims, stack)];
    products(left.rows, (multiplyInto) => {
      for (let i = 0; i < product(stack); i++) {
        const to = address + i * left.rows * right.columns * FLOAT_BYTES;
        multiplyInto(matrixOf(left, lefts[i] ?? 0), matrixOf(right, rights[i] ?? 0), to);
      }
    });
    return out;
  };
  tf.unregisterKernel(KERNEL, 'wasm');
  tf.registerKernel({...original, kernelFunc});
}
