import type {KernelFunc, Tensor, Tensor2D, Tensor4D, TensorInfo} from '@tensorflow/tfjs';
import {z} from 'zod';
import type {Tf} from '../library.ts';
import {callNativeSingle, hasNativeOperations} from './native.ts';

const KERNEL = 'Conv2DBackpropFilter';

/** How a convolution's windows lie: height before width. */
export interface Windows {
  readonly filter: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Zeros above and left of a picture. What a window sees beyond its other ends is 0 too. */
  readonly border: readonly [number, number];
}

/** The gradient of a convolution by its filter by TensorFlow.js: for each place of the filter a product of what it meets with dy. */
export function filterGradientDefinition(
  tf: Tf,
  x: Tensor4D,
  dy: Tensor4D,
  {filter, strides, border}: Windows,
): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const [, tall, wide, outputs] = dy.shape;
  const [rows, columns] = filter;
  const reach = [(tall - 1) * strides[0] + rows, (wide - 1) * strides[1] + columns] as const;
  const padded: Tensor4D = tf.pad(x, [
    [0, 0],
    [border[0], Math.max(0, reach[0] - border[0] - height)],
    [border[1], Math.max(0, reach[1] - border[1] - width)],
    [0, 0],
  ]);
  const flat: Tensor2D = tf.reshape(dy, [-1, outputs]);
  const places = Array.from({length: rows * columns}, (_, place): Tensor => {
    const [top, left] = [Math.floor(place / columns), place % columns];
    const end = [batch, top + reach[0] - rows + 1, left + reach[1] - columns + 1, channels];
    const met = tf.stridedSlice(padded, [0, top, left, 0], end, [1, ...strides, 1]);
    return tf.matMul(tf.reshape(met, [-1, channels]), flat, true, false);
  });
  return tf.reshape(tf.stack(places), [rows, columns, channels, outputs]);
}

/** The same by native/filter-gradient.cc, for any shapes. x [B, H, W, C], dy [B, H', W', O] → [filter's height, width, C, O]. */
export function filterGradientNative(
  tf: Tf,
  x: TensorInfo,
  dy: TensorInfo,
  {filter, strides, border}: Windows,
): Tensor {
  return callNativeSingle(tf, 'BasinFilterGradient', [x, dy], {
    integers: {
      ...{filter_height: filter[0], filter_width: filter[1]},
      ...{stride_height: strides[0], stride_width: strides[1]},
      ...{top: border[0], left: border[1]},
    },
  });
}

const pair = z.tuple([z.number(), z.number()]);
const shape = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const attributes = z.object({
  strides: z.union([z.number(), pair]),
  pad: z.union([z.literal('same'), z.literal('valid'), z.number()]),
  dataFormat: z.literal('NHWC'),
  filterShape: shape,
});

/**
 * Puts our operation in the place of TensorFlow's, which adds up a filter's gradient in as many parts as there are threads, wherever a
 * convolution is differentiated: in our models and in those of users. TensorFlow's remains where the addon has no operations, for
 * channels before pixels, and for a border that differs from side to side.
 */
export function replaceFilterGradient(tf: Tf): void {
  const original = tf.getKernel(KERNEL, 'tensorflow');
  if (!original || !hasNativeOperations(tf)) return;

  const kernelFunc: KernelFunc = (call) => {
    const {x, dy} = call.inputs;
    const parsed = attributes.safeParse(call.attrs);
    if (!x || !dy || !parsed.success) return original.kernelFunc(call);
    const {filterShape, strides, pad} = parsed.data;
    const {padInfo, strideHeight, strideWidth} = tf.backend_util.computeConv2DInfo(
      shape.parse(x.shape),
      filterShape,
      strides,
      1,
      pad,
    );
    return filterGradientNative(tf, x, dy, {
      filter: [filterShape[0], filterShape[1]],
      strides: [strideHeight, strideWidth],
      // below 0 for strides beyond the filter, where TensorFlow pads nothing
      border: [Math.max(padInfo.top, 0), Math.max(padInfo.left, 0)],
    });
  };
  tf.unregisterKernel(KERNEL, 'tensorflow');
  tf.registerKernel({...original, kernelFunc});
}
