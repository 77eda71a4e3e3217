import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';
import type {BackendWasm} from '@tensorflow/tfjs-backend-wasm';
import type {Tf} from '../library.ts';
import {spread, type Windows, windowsOf} from './conv2d-windows.ts';
import {isWasm} from './kernel.ts';
import {FLOAT_BYTES, type MatrixProducts} from './matrix-product.ts';

const KERNEL = 'Conv2DBackpropInput';

/** Replaces the wasm back end's gradient of a convolution by its pictures, which is a loop over single values. */
export function replaceConv2dBackpropInput(tf: Tf, products: MatrixProducts): void {
  const original = tf.getKernel(KERNEL, 'wasm');
  if (!original) throw new Error('Internal error: the wasm back end has no gradient of a convolution');

  const kernelFunc: KernelFunc = ({inputs, attrs, backend}) => {
    const {dy, filter} = inputs;
    if (!dy || !filter || !isWasm(backend)) throw new Error('Internal error: a gradient without operands or back end');
    const windows = windowsOf(tf, attrs?.inputShape, filter.shape, attrs);
    const {batch, tall, wide, channels, outputs, pixels} = windows;
    const begins = spread(backend, dy, windows);
    const whole = backend.makeOutput([batch, tall, wide, channels], 'float32');
    const address = ({dataId}: TensorInfo): number => backend.getMemoryOffset(dataId);
    products(pixels, (multiplyInto) => {
      backend.typedArrayFromHeap(whole).fill(0);
      const [pixel, output] = [channels * FLOAT_BYTES, outputs * FLOAT_BYTES];
      windows.offsets.forEach((offset, place) => {
        multiplyInto(
          {
            rows: pixels - offset,
            columns: outputs,
            rowStride: output,
            columnStride: FLOAT_BYTES,
            address: address(begins),
          },
          {
            rows: outputs,
            columns: channels,
            rowStride: FLOAT_BYTES,
            columnStride: output,
            address: address(filter) + place * channels * output,
          },
          address(whole) + offset * pixel,
        );
      });
    });
    const out = withoutBorder(backend, whole, windows);
    for (const {dataId} of [begins, whole]) backend.disposeData(dataId);
    return out;
  };
  tf.unregisterKernel(KERNEL, 'wasm');
  tf.registerKernel({...original, kernelFunc});
}

function withoutBorder(backend: BackendWasm, whole: TensorInfo, windows: Windows): TensorInfo {
  const {batch, height, width, channels, top, left, tall, wide} = windows;
  const out = backend.makeOutput([batch, height, width, channels], 'float32');
  const [from, to] = [backend.typedArrayFromHeap(whole), backend.typedArrayFromHeap(out)];
  for (let line = 0; line < batch * height; line++) {
    const start = ((Math.floor(line / height) * tall + top + (line % height)) * wide + left) * channels;
    to.set(from.subarray(start, start + width * channels), line * width * channels);
  }
  return out;
}
