import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';
import type {BackendWasm} from '@tensorflow/tfjs-backend-wasm';
import {z} from 'zod';
import type {Tf} from '../library.ts';
import {isWasm, kernelOf, single} from './kernel.ts';
import {FLOAT_BYTES, type MatrixProducts} from './matrix-product.ts';

const KERNEL = 'Conv2DBackpropFilter';

type Convolution = ReturnType<Tf['backend_util']['computeConv2DInfo']>;

/**
 * Registers the gradient of a convolution by its filter, which the wasm back end lacks (tfjs-backend-wasm 4.22).
 *
 * With the pictures padded, and each value of dy put at the pixel where its window begins, the pixels that one place of the filter has
 * met are the pictures from an offset on: the gradient there is the product of two matrices of as many rows as
 * there are pixels, and nothing is copied for it.
 */
export function addConv2dBackpropFilter(tf: Tf, products: MatrixProducts): void {
  const kernelFunc: KernelFunc = ({inputs, attrs, backend}) => {
    const {x, dy} = inputs;
    if (!x || !dy || !isWasm(backend)) throw new Error('Internal error: a gradient without operands or back end');
    const [, height = 0, width = 0] = x.shape;
    const convolution = convolutionOf(tf, x, attrs);
    // below 0 for strides beyond the filter, where TensorFlow pads nothing
    const [top, left] = [Math.max(convolution.padInfo.top, 0), Math.max(convolution.padInfo.left, 0)];
    const {filterHeight, filterWidth, inChannels, outChannels} = convolution;
    // a window never reaches beyond the padding, so rows of windows and of padded pictures are equally long
    const [tall, wide] = [
      Math.max(top + height, (convolution.outHeight - 1) * convolution.strideHeight + filterHeight),
      Math.max(left + width, (convolution.outWidth - 1) * convolution.strideWidth + filterWidth),
    ];
    const padded = single(
      kernelOf(
        tf,
        'PadV2',
      )({
        inputs: {x},
        attrs: {
          paddings: [
            [0, 0],
            [top, tall - top - height],
            [left, wide - left - width],
            [0, 0],
          ],
          constantValue: 0,
        },
        backend,
      }),
    );
    const spread = backend.makeOutput([convolution.batchSize, tall, wide, outChannels], 'float32');
    spreadGradient(backend, dy, spread, convolution);
    const out = backend.makeOutput([filterHeight, filterWidth, inChannels, outChannels], 'float32');
    const pixels = convolution.batchSize * tall * wide;
    const address = ({dataId}: TensorInfo): number => backend.getMemoryOffset(dataId);
    products(inChannels, (multiplyInto) => {
      backend.typedArrayFromHeap(out).fill(0);
      for (let place = 0; place < filterHeight * filterWidth; place++) {
        const offset = Math.floor(place / filterWidth) * wide + (place % filterWidth);
        const rows = pixels - offset;
        multiplyInto(
          {
            rows: inChannels,
            columns: rows,
            rowStride: FLOAT_BYTES,
            columnStride: inChannels * FLOAT_BYTES,
            address: address(padded) + offset * inChannels * FLOAT_BYTES,
          },
          {
            rows,
            columns: outChannels,
            rowStride: outChannels * FLOAT_BYTES,
            columnStride: FLOAT_BYTES,
            address: address(spread),
          },
          address(out) + place * inChannels * outChannels * FLOAT_BYTES,
        );
      }
    });
    for (const {dataId} of [padded, spread]) backend.disposeData(dataId);
    return out;
  };
  tf.registerKernel({kernelName: KERNEL, backendName: 'wasm', kernelFunc});
}

const pair = z.tuple([z.number(), z.number()]);
const attributes = z.object({
  filterShape: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  strides: z.union([z.number(), pair]),
  pad: z.union([z.literal('same'), z.literal('valid'), z.number(), z.tuple([pair, pair, pair, pair])]),
  dataFormat: z.literal('NHWC', 'The wasm back end has gradients of convolutions in NHWC only.'),
});

function convolutionOf(tf: Tf, {shape}: TensorInfo, attrs: unknown): Convolution {
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  const {filterShape, strides, pad} = attributes.parse(attrs);
  return tf.backend_util.computeConv2DInfo([batch, height, width, channels], filterShape, strides, 1, pad);
}

/** Writes dy [B, OH, OW, K] into zeros [B, H, W, K], each value at the first pixel of its window. */
function spreadGradient(backend: BackendWasm, dy: TensorInfo, spread: TensorInfo, convolution: Convolution): void {
  const {batchSize, outHeight, outWidth, outChannels, strideHeight, strideWidth} = convolution;
  const [, tall = 0, wide = 0] = spread.shape;
  const [from, to] = [backend.typedArrayFromHeap(dy), backend.typedArrayFromHeap(spread)];
  to.fill(0);
  for (let picture = 0; picture < batchSize; picture++) {
    for (let row = 0; row < outHeight; row++) {
      const source = (picture * outHeight + row) * outWidth * outChannels;
      const target = (picture * tall + row * strideHeight) * wide * outChannels;
      if (strideWidth === 1) {
        to.set(from.subarray(source, source + outWidth * outChannels), target);
        continue;
      }
      for (let column = 0; column < outWidth; column++) {
        const start = source + column * outChannels;
        to.set(from.subarray(start, start + outChannels), target + column * strideWidth * outChannels);
      }
    }
  }
}
