import type {Tensor, Tensor4D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';

/**
 * Pictures [B, C, S, S] → patches [B · (S/P)², C · P · P], rows row by row over the picture, columns in the order of a
 * convolution's weight [D, C, P, P]: so a convolution with stride P is one matrix product.
 *
 * Two transpositions of rank four, because the wasm kernel for higher ranks is slow.
 */
export function patchesOf(tf: Tf, pictures: Tensor4D, patch: number): Tensor {
  const [batch, channels, size] = pictures.shape;
  const grid = size / patch;
  const rows = tf.reshape(pictures, [batch * channels * grid, patch, grid, patch]);
  const perChannel = tf.transpose(rows, [0, 2, 1, 3]); // [B · C · rows, columns, P, P]
  if (channels === 1) return tf.reshape(perChannel, [batch * grid * grid, patch * patch]);
  const byPlace = tf.transpose(tf.reshape(perChannel, [batch, channels, grid * grid, patch * patch]), [0, 2, 1, 3]);
  return tf.reshape(byPlace, [batch * grid * grid, channels * patch * patch]);
}
