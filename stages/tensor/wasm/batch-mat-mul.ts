import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {isWasm, kernelOf, product, single} from './kernel.ts';

const KERNEL = 'BatchMatMul';
const FLOAT_BYTES = 4;

/**
 * Up to so many multiplications in each of a batch's products the module's naive loop over the whole batch is faster than
 * a call for each product (measured: 0.4 ns a multiplication against 4 to 10 µs a call).
 */
const SMALL = 8192;

/** The module's product of [1,M,K]×[1,K,N]: ids of the tensors, shapes as int32 bytes, ranks, transposes (0). */
type Multiply = (...args: readonly (number | Uint8Array)[]) => void;
interface Wrapping {
  cwrap(name: string, returns: null, parameters: readonly ('number' | 'array')[]): Multiply;
}
// Emscripten's run-time function, which the package's type of its module leaves out.
const wraps = (module: object): module is Wrapping => 'cwrap' in module && typeof module.cwrap === 'function';
const PARAMETERS = ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number'] as const;

/** A stack of matrices in C order: its data, rows and columns of each, and the dimensions of the stack. */
interface Stack {
  readonly info: TensorInfo;
  readonly dims: readonly number[];
  readonly rows: number;
  readonly columns: number;
}

const int32Bytes = (shape: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(shape).buffer);

/** Whether operands are two batches of the same shape whose products are small. */
function isSmallBatch(a: TensorInfo, b: TensorInfo, transposeA: boolean): boolean {
  const dims = a.shape.slice(0, -2);
  const inner = (transposeA ? a.shape.at(-2) : a.shape.at(-1)) ?? 1;
  return (
    product(dims) > 1 &&
    dims.join() === b.shape.slice(0, -2).join() &&
    (product(a.shape.slice(-2)) * product(b.shape.slice(-2))) / inner <= SMALL
  );
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

/**
 * Replaces the wasm back end's matrix product. Its kernel is fast for [1,M,K]×[1,K,N] only (XNNPACK) and a naive loop, ten
 * times slower, for every other form; so for all but small batches transposes are made first, and each product of a batch is asked for alone, on
 * views of the operands' memory. A batch times one matrix is a single, taller product.
 */
export function replaceBatchMatMul(tf: Tf): void {
  const original = tf.getKernel(KERNEL, 'wasm');
  const transpose = kernelOf(tf, 'Transpose');
  if (!original) throw new Error('Internal error: the wasm back end has no matrix product');

  const kernelFunc: KernelFunc = (call) => {
    const {attrs, backend} = call;
    const {a, b} = call.inputs;
    if (!a || !b || !isWasm(backend)) throw new Error('Internal error: a matrix product without operands or back end');
    if (a.dtype !== 'float32' || b.dtype !== 'float32') {
      throw new Error(`matMul of ${a.dtype} and ${b.dtype}: the wasm back end multiplies float32 only`);
    }
    if (isSmallBatch(a, b, attrs?.transposeA === true)) return original.kernelFunc(call);
    const temporaries: TensorInfo[] = [];
    const stackOf = (info: TensorInfo, transposed: boolean): Stack => {
      const dims = info.shape.slice(0, -2);
      const [rows = 1, columns = 1] = info.shape.slice(-2);
      if (!transposed) return {info, dims, rows, columns};
      const perm = [...dims.keys(), dims.length + 1, dims.length];
      const swapped = single(transpose({inputs: {x: info}, attrs: {perm}, backend}));
      temporaries.push(swapped);
      return {info: swapped, dims, rows: columns, columns: rows};
    };
    const left = stackOf(a, attrs?.transposeA === true);
    const right = stackOf(b, attrs?.transposeB === true);
    if (left.columns !== right.rows) throw new Error(`matMul: shapes [${a.shape}] and [${b.shape}] do not fit`);
    const dims = broadcastDims(left.dims, right.dims);
    const out = backend.makeOutput([...dims, left.rows, right.columns], 'float32');

    if (!wraps(backend.wasm)) throw new Error('Internal error: the wasm module wraps no functions');
    const multiply = backend.wasm.cwrap(KERNEL, null, PARAMETERS);
    // A view is a tensor of the wasm module on memory that another one owns: it is forgotten, never freed.
    const view = (of: TensorInfo, index: number, rows: number, columns: number): TensorInfo =>
      backend.makeOutput(
        [1, rows, columns],
        'float32',
        backend.getMemoryOffset(of.dataId) + index * rows * columns * FLOAT_BYTES,
      );
    const idOf = (info: TensorInfo): number => backend.dataIdMap.get(info.dataId).id;
    const forget = (info: TensorInfo): void => {
      backend.wasm.tfjs.disposeData(idOf(info));
      backend.dataIdMap.delete(info.dataId);
    };
    const multiplyOne = (l: TensorInfo, r: TensorInfo, o: TensorInfo): void => {
      multiply(idOf(l), int32Bytes(l.shape), 3, idOf(r), int32Bytes(r.shape), 3, 0, 0, idOf(o));
    };

    if (product(right.dims) === 1) {
      const rows = product(left.dims) * left.rows;
      const [l, o] = [view(left.info, 0, rows, left.columns), view(out, 0, rows, right.columns)];
      // The module packs a right operand once and keeps that by its id, so a weight is handed over as itself.
      multiply(
        idOf(l),
        int32Bytes(l.shape),
        3,
        idOf(right.info),
        int32Bytes([1, right.rows, right.columns]),
        3,
        0,
        0,
        idOf(o),
      );
      for (const info of [l, o]) forget(info);
    } else {
      const [lefts, rights] = [broadcastIndices(left.dims, dims), broadcastIndices(right.dims, dims)];
      for (let i = 0; i < product(dims); i++) {
        const l = view(left.info, lefts[i] ?? 0, left.rows, left.columns);
        const r = view(right.info, rights[i] ?? 0, right.rows, right.columns);
        const o = view(out, i, left.rows, right.columns);
        multiplyOne(l, r, o);
        for (const info of [l, r, o]) forget(info);
      }
    }
    for (const temporary of temporaries) backend.disposeData(temporary.dataId);
    return out;
  };
  tf.unregisterKernel(KERNEL, 'wasm');
  tf.registerKernel({...original, kernelFunc});
}
