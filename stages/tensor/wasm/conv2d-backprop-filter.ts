import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {spread, windowsOf} from './conv2d-windows.ts';
import {isWasm, kernelOf, single} from './kernel.ts';
import {FLOAT_BYTES, type MatrixProducts} from './matrix-product.ts';

/** Registers the gradient of a convolution by its filter, which the wasm back end lacks (tfjs-backend-wasm 4.22). */
export function addConv2dBackpropFilter(tf: Tf, products: MatrixProducts): void {
  const kernelFunc: KernelFunc = ({inputs, attrs, backend}) => {
    const {x, dy} = inputs;
    if (!x || !dy || !isWasm(backend)) throw new Error('Internal error: a gradient without operands or back end');
    const windows = windowsOf(tf, x.shape, attrs?.filterShape, attrs);
    const {top, left, tall, wide, height, width, channels, outputs, pixels} = windows;
    const paddings = [
      [0, 0],
      [top, tall - top - height],
      [left, wide - left - width],
      [0, 0],
    ];
    const padded = single(kernelOf(tf, 'PadV2')({inputs: {x}, attrs: {paddings, constantValue: 0}, backend}));
    const begins = spread(backend, dy, windows);
    const out = backend.makeOutput([...windows.filter, channels, outputs], 'float32');
    const address = ({dataId}: TensorInfo): number => backend.getMemoryOffset(dataId);
    products(channels, (multiplyInto) => {
      backend.typedArrayFromHeap(out).fill(0);
      const [pixel, output] = [channels * FLOAT_BYTES, outputs * FLOAT_BYTES];
      windows.offsets.forEach((offset, place) => {
        const rows = pixels - offset;
        multiplyInto(
          {
            rows: channels,
            columns: rows,
            rowStride: FLOAT_BYTES,
            columnStride: pixel,
            address: address(padded) + offset * pixel,
          },
          {rows, columns: outputs, rowStride: output, columnStride: FLOAT_BYTES, address: address(begins)},
          address(out) + place * channels * output,
        );
      });
    });
    for (const {dataId} of [padded, begins]) backend.disposeData(dataId);
    return out;
  };
  tf.registerKernel({kernelName: 'Conv2DBackpropFilter', backendName: 'wasm', kernelFunc});
}
