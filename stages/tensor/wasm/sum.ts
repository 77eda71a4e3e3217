import type {KernelFunc} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {isWasm, product} from './kernel.ts';
import {FLOAT_BYTES, type MatrixProducts} from './matrix-product.ts';

const KERNEL = 'Sum';

/** How many of the first axes are summed over, where the sum is over these and no others. */
function leadingAxes(axis: unknown, rank: number): number | undefined {
  const given = typeof axis === 'number' ? [axis] : Array.isArray(axis) ? axis.map(Number) : []; // none: over all
  const axes = given.map((one) => (one + rank) % rank).toSorted((a, b) => a - b);
  const leads = axes.length > 0 && axes.length < rank && axes.every((one, index) => one === index);
  return leads ? axes.length : undefined;
}

/**
 * Replaces the wasm back end's sum over leading axes, for which it transposes first: as the product of a row of ones with
 * the rest it is several times faster. A bias takes its gradient from such a sum.
 */
export function replaceSum(tf: Tf, products: MatrixProducts): void {
  const original = tf.getKernel(KERNEL, 'wasm');
  if (!original) throw new Error('Internal error: the wasm back end has no sum');

  const kernelFunc: KernelFunc = (call) => {
    const {x} = call.inputs;
    const {attrs, backend} = call;
    if (!x || !isWasm(backend)) throw new Error('Internal error: a sum without an operand or back end');
    const leading = x.dtype === 'float32' ? leadingAxes(attrs?.axis, x.shape.length) : undefined;
    if (leading === undefined) return original.kernelFunc(call);
    const kept = x.shape.slice(leading);
    const [rows, columns] = [product(x.shape.slice(0, leading)), product(kept)];
    const out = backend.makeOutput(attrs?.keepDims ? [...Array<number>(leading).fill(1), ...kept] : kept, 'float32');
    const one = backend.makeOutput([1], 'float32');
    const addressOf = ({dataId}: typeof one): number => backend.getMemoryOffset(dataId);
    products(1, (multiplyInto) => {
      backend.typedArrayFromHeap(out).fill(0);
      backend.typedArrayFromHeap(one).fill(1);
      multiplyInto(
        {rows: 1, columns: rows, rowStride: 0, columnStride: 0, address: addressOf(one)},
        {rows, columns, rowStride: columns * FLOAT_BYTES, columnStride: FLOAT_BYTES, address: addressOf(x)},
        addressOf(out),
      );
    });
    backend.disposeData(one.dataId);
    return out;
  };
  tf.unregisterKernel(KERNEL, 'wasm');
  tf.registerKernel({...original, kernelFunc});
}
