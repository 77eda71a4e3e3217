import type {TensorInfo} from '@tensorflow/tfjs';
import type {BackendWasm} from '@tensorflow/tfjs-backend-wasm';
import {z} from 'zod';
import type {Tf} from '../library.ts';

/**
 * A convolution's pictures with their border, so wide that a window never reaches beyond it. With every output put at the pixel where its
 * window begins, the pixels that one place of the filter meets are all pixels from an offset on, whatever the stride: gradients
 * are then products of matrices with as many rows as there are pixels.
 */
export interface Windows {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputs: number;
  readonly filter: readonly [number, number];
  /** Border before the picture, and sides with both borders. */
  readonly top: number;
  readonly left: number;
  readonly tall: number;
  readonly wide: number;
  readonly strides: readonly [number, number];
  /** Of all pictures, borders included. */
  readonly pixels: number;
  /** Of each place of the filter, in C order: how many pixels beyond the start of its window it lies. */
  readonly offsets: readonly number[];
}

const pair = z.tuple([z.number(), z.number()]);
const shape = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const attributes = z.object({
  strides: z.union([z.number(), pair]),
  pad: z.union([z.literal('same'), z.literal('valid'), z.number(), z.tuple([pair, pair, pair, pair])]),
  dataFormat: z.literal('NHWC', 'The wasm back end has gradients of convolutions in NHWC only.'),
});

/** The windows of a convolution by the shapes of its pictures and its filter, and the attributes of its gradient's kernel. */
export function windowsOf(tf: Tf, pictures: unknown, filters: unknown, attrs: unknown): Windows {
  const [inputs, filter] = [shape.parse(pictures), shape.parse(filters)];
  const {strides, pad} = attributes.parse(attrs);
  const {padInfo, outHeight, outWidth, strideHeight, strideWidth} = tf.backend_util.computeConv2DInfo(
    inputs,
    filter,
    strides,
    1,
    pad,
  );
  const [batch, height, width, channels] = inputs;
  const [rows, columns, , outputs] = filter;
  // below 0 for strides beyond the filter, where TensorFlow pads nothing
  const [top, left] = [Math.max(padInfo.top, 0), Math.max(padInfo.left, 0)];
  const tall = Math.max(top + height, (outHeight - 1) * strideHeight + rows);
  const wide = Math.max(left + width, (outWidth - 1) * strideWidth + columns);
  return {
    batch,
    height,
    width,
    channels,
    outputs,
    filter: [rows, columns],
    top,
    left,
    tall,
    wide,
    strides: [strideHeight, strideWidth],
    pixels: batch * tall * wide,
    offsets: Array.from({length: rows * columns}, (_, place) => Math.floor(place / columns) * wide + (place % columns)),
  };
}

/** dy [B, OH, OW, K] as a tensor of all pixels [B, tall, wide, K]: each value where its window begins, zeros elsewhere. */
export function spread(backend: BackendWasm, dy: TensorInfo, windows: Windows): TensorInfo {
  const {batch, tall, wide, outputs, strides} = windows;
  const [, rows = 0, columns = 0] = dy.shape;
  const out = backend.makeOutput([batch, tall, wide, outputs], 'float32');
  const [from, to] = [backend.typedArrayFromHeap(dy), backend.typedArrayFromHeap(out)];
  to.fill(0);
  for (let line = 0; line < batch * rows; line++) {
    const source = line * columns * outputs;
    const target = (Math.floor(line / rows) * tall + (line % rows) * strides[0]) * wide * outputs;
    if (strides[1] === 1) {
      to.set(from.subarray(source, source + columns * outputs), target);
      continue;
    }
    for (let column = 0; column < columns; column++) {
      const start = source + column * outputs;
      to.set(from.subarray(start, start + outputs), target + column * strides[1] * outputs);
    }
  }
  return out;
}
