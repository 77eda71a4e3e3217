import type {Tensor1D, Tensor4D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';
import {bytesPerPicture, type Pictures} from '../data/pictures.ts';
import type {Augmentation} from './augment-schema.ts';
import {augmentPicture} from './augmentation.ts';
import {fitPicture} from './fit-picture.ts';
import type {Picture} from './picture.ts';
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

/** A buffer for `batch` pictures; other threads see it too when it is `shared`. */
export function batchBuffer({channels, size}: Preprocessing, batch: number, shared = false): BatchBuffer {
  const bytes = (values: number) => (shared ? new SharedArrayBuffer(4 * values) : new ArrayBuffer(4 * values));
  return {pixels: new Float32Array(bytes(batch * channels * size * size)), labels: new Int32Array(bytes(batch))};
}

/** Writes a picture, augmented and preprocessed, and its label to a place of the buffer. */
export function preparePicture(
  buffer: BatchBuffer,
  place: number,
  pictures: Pictures,
  sample: number,
  {channels, size, fit, table}: Preprocessing,
  noise?: Noise,
): void {
  const bytes = bytesPerPicture(pictures);
  const plane = size * size;
  const stored: Picture = {
    channels: pictures.channels,
    height: pictures.height,
    width: pictures.width,
    values: pictures.values.subarray(sample * bytes, (sample + 1) * bytes),
  };
  const augmented = noise
    ? augmentPicture(stored, noise.augment, size, {seed: noise.seed, epoch: noise.epoch, sample})
    : stored;
  const {values} = fitPicture(augmented, fit);
  let to = place * channels * plane;
  for (let channel = 0; channel < channels; channel++) {
    const row = channel * 256;
    // a grey picture is every channel of an RGB one
    const start = pictures.channels === 1 ? 0 : channel * plane;
    for (let pixel = start; pixel < start + plane; pixel++) {
      buffer.pixels[to++] = table[row + (values[pixel] ?? 0)] ?? 0;
    }
  }
  buffer.labels[place] = pictures.labels[sample] ?? 0;
}

/** Writes the pictures at `indices`, augmented and preprocessed, and their labels to the front of the buffer. */
export function fillBatch(
  buffer: BatchBuffer,
  pictures: Pictures,
  indices: ArrayLike<number>,
  preprocessing: Preprocessing,
  noise?: Noise,
): void {
  for (let place = 0; place < indices.length; place++) {
    preparePicture(buffer, place, pictures, indices[place] ?? 0, preprocessing, noise);
  }
}

/** The same of `n` pictures from `start` on, without noise. */
export function fillRun(
  buffer: BatchBuffer,
  pictures: Pictures,
  {start, n}: {readonly start: number; readonly n: number},
  preprocessing: Preprocessing,
): void {
  for (let place = 0; place < n; place++) preparePicture(buffer, place, pictures, start + place, preprocessing);
}

/** The first `n` pictures of a buffer, [n, C, S, S], as a model takes them. */
export function pictureTensor(tf: Tf, {pixels}: BatchBuffer, {channels, size}: Preprocessing, n: number): Tensor4D {
  return tf.tensor4d(pixels.subarray(0, n * channels * size * size), [n, channels, size, size]);
}

/** The labels of the first `n` pictures of a buffer, [n]. */
export const labelTensor = (tf: Tf, {labels}: BatchBuffer, n: number): Tensor1D =>
  tf.tensor1d(labels.subarray(0, n), 'int32');
