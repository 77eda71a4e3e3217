import type {Tensor1D, Tensor4D} from '@tensorflow/tfjs';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {Tf} from '../../tensor/library.ts';
import {bytesPerPicture, type Pictures} from '../data/pictures.ts';
import {type Augmentation, augmentPicture} from './augmentation.ts';
import {type Picture, resized} from './picture.ts';
import type {Preprocessing} from './preprocessor.ts';

/** Augmentation with its noise. */
interface Noise {
  readonly augment: Augmentation;
  readonly seed: number;
  readonly epoch: number;
}

/** A buffer for the largest batch, filled anew for each. */
export interface BatchBuffer {
  readonly pixels: Float32Array;
  readonly labels: Int32Array;
}

export function batchBuffer(preprocessing: Preprocessing, batch: number): BatchBuffer {
  const {channels, size} = preprocessing;
  return {pixels: new Float32Array(batch * channels * size * size), labels: new Int32Array(batch)};
}

/** Refuses an augmentation that the pictures cannot take. */
export function checkAugmentation(augment: Augmentation, pictures: Pictures): void {
  for (const entry of augment) {
    if ('crop' in entry && entry.crop > Math.min(pictures.height, pictures.width)) {
      throw new StageError(
        `A crop of ${entry.crop} pixels is larger than the pictures (${pictures.height} × ${pictures.width}).`,
        'Make the crop smaller.',
      );
    }
  }
}

/** Writes the pictures at `indices`, augmented and preprocessed, and their labels to the front of the buffer. */
export function fillBatch(
  buffer: BatchBuffer,
  pictures: Pictures,
  indices: ArrayLike<number>,
  preprocessing: Preprocessing,
  noise?: Noise,
): void {
  const {channels, size, table} = preprocessing;
  const bytes = bytesPerPicture(pictures);
  const plane = size * size;
  for (let place = 0; place < indices.length; place++) {
    const sample = indices[place] ?? 0;
    const stored: Picture = {
      channels,
      height: pictures.height,
      width: pictures.width,
      values: pictures.values.subarray(sample * bytes, (sample + 1) * bytes),
    };
    const augmented = noise
      ? augmentPicture(stored, noise.augment, size, {seed: noise.seed, epoch: noise.epoch, sample})
      : stored;
    const {values} = resized(augmented, size);
    let to = place * channels * plane;
    for (let channel = 0; channel < channels; channel++) {
      const row = channel * 256;
      for (let pixel = channel * plane; pixel < (channel + 1) * plane; pixel++) {
        buffer.pixels[to++] = table[row + (values[pixel] ?? 0)] ?? 0;
      }
    }
    buffer.labels[place] = pictures.labels[sample] ?? 0;
  }
}

/** The first `n` pictures of a buffer, [n, C, S, S], as a model takes them. */
export function pictureTensor(tf: Tf, {pixels}: BatchBuffer, {channels, size}: Preprocessing, n: number): Tensor4D {
  return tf.tensor4d(pixels.subarray(0, n * channels * size * size), [n, channels, size, size]);
}

/** The labels of the first `n` pictures of a buffer, [n]. */
export const labelTensor = (tf: Tf, {labels}: BatchBuffer, n: number): Tensor1D =>
  tf.tensor1d(labels.subarray(0, n), 'int32');
