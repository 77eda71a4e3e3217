import {z} from 'zod';
import {drawInteger} from '../data/permutation.ts';
import {draw} from '../random/philox.ts';
import {resizeBilinear} from './resize.ts';

const operation = z.union([
  z
    .strictObject({shift: z.int().min(1).max(64)})
    .describe('Moves the picture by up to this many pixels along each axis; what comes in is 0.'),
  z.strictObject({flip: z.literal(true)}).describe('Mirrors left and right with probability 0.5.'),
  z
    .strictObject({crop: z.int().min(1).max(4096)})
    .describe("Cuts a random square of this many pixels and resizes it to the model's input."),
]);

/** What is done to a training picture, in the order listed; each at most once. */
export const augmentSchema = z
  .array(operation)
  .refine(
    (list) => new Set(list.map((entry) => Object.keys(entry)[0])).size === list.length,
    'An augmentation is listed twice.',
  )
  .default([])
  .describe('Augmentations of training pictures, in order: {shift: 2}, {flip: true}, {crop: 24}.');

export type Augmentation = z.output<typeof augmentSchema>;

/** The number of each draw. They belong to the operation and not to its place, so that adding one leaves the others' noise alone. */
const DRAW = {shiftDown: 0, shiftRight: 2, flip: 4, cropTop: 6, cropLeft: 8} as const;

/** Whose noise it is. */
interface NoiseSource {
  readonly seed: number;
  readonly epoch: number;
  readonly sample: number;
}

/** A picture as bytes, CHW. */
export interface Picture {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly values: Uint8Array;
}

/** Applies the list to one picture; `size` is the model's input, which a crop is resized to. The input is not written to. */
export function augmentPicture(picture: Picture, list: Augmentation, size: number, noise: NoiseSource): Picture {
  let current = picture;
  const integer = (n: number, index: number): number =>
    drawInteger(n, noise.seed, 'augment', noise.epoch, noise.sample, index);
  for (const entry of list) {
    if ('shift' in entry) {
      const span = 2 * entry.shift + 1;
      current = shift(
        current,
        integer(span, DRAW.shiftDown) - entry.shift,
        integer(span, DRAW.shiftRight) - entry.shift,
      );
    } else if ('crop' in entry) {
      const top = integer(current.height - entry.crop + 1, DRAW.cropTop);
      const left = integer(current.width - entry.crop + 1, DRAW.cropLeft);
      current = resized(crop(current, top, left, entry.crop), size);
    } else if (draw(noise.seed, 'augment', noise.epoch, noise.sample, DRAW.flip) < 2 ** 31) {
      current = mirror(current);
    }
  }
  return current;
}

/** The picture at the model's size. */
export function resized(picture: Picture, size: number): Picture {
  const {channels, height, width, values} = picture;
  if (height === size && width === size) return picture;
  return {channels, height: size, width: size, values: resizeBilinear(values, channels, height, width, size, size)};
}

/** Moves down and right by so many pixels (up and left when negative). */
export function shift(picture: Picture, down: number, right: number): Picture {
  if (down === 0 && right === 0) return picture;
  const {channels, height, width, values} = picture;
  const out = new Uint8Array(values.length);
  const length = width - Math.abs(right);
  if (length <= 0) return {...picture, values: out};
  for (let row = 0; row < channels * height; row++) {
    const y = row % height;
    const from = y - down;
    if (from < 0 || from >= height) continue;
    const source = (row - down) * width + Math.max(0, -right);
    out.set(values.subarray(source, source + length), row * width + Math.max(0, right));
  }
  return {...picture, values: out};
}

export function mirror(picture: Picture): Picture {
  const out = picture.values.slice();
  for (let start = 0; start < out.length; start += picture.width) out.subarray(start, start + picture.width).reverse();
  return {...picture, values: out};
}

export function crop(picture: Picture, top: number, left: number, size: number): Picture {
  const {channels, height, width, values} = picture;
  const out = new Uint8Array(channels * size * size);
  for (let row = 0; row < channels * size; row++) {
    const channel = Math.floor(row / size);
    const source = (channel * height + top + (row % size)) * width + left;
    out.set(values.subarray(source, source + size), row * size);
  }
  return {channels, height: size, width: size, values: out};
}
