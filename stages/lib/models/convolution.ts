import type {Tensor4D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';

/** Pictures as models take them, [B, C, H, W], with the channels last: [B, H, W, C]. */
export const channelsLast = (tf: Tf, pictures: Tensor4D): Tensor4D => tf.transpose(pictures, [0, 2, 3, 1]);

/**
 * A convolution without bias, its window around each pixel as PyTorch's `padding = ⌊K / 2⌋` puts it: x [B, H, W, in], weight [out, in, K, K]
 * (K odd) → [B, ⌈H / stride⌉, ⌈W / stride⌉, out].
 *
 * With stride 2 the border is padded by hand: TensorFlow's own padding of an even size begins at the other end.
 */
export function convolve(tf: Tf, x: Tensor4D, weight: Tensor4D, stride: 1 | 2): Tensor4D {
  const kernel: Tensor4D = tf.transpose(weight, [2, 3, 1, 0]);
  const [side] = kernel.shape;
  if (side === 1 || stride === 1) return tf.conv2d(x, kernel, stride, 'same');
  const before = (side - 1) / 2;
  const after = (extent: number): number => (Math.ceil(extent / stride) - 1) * stride + side - extent - before;
  const [, height, width] = x.shape;
  const padded: Tensor4D = tf.pad(x, [
    [0, 0],
    [before, after(height)],
    [before, after(width)],
    [0, 0],
  ]);
  return tf.conv2d(padded, kernel, stride, 'valid');
}
