import {drawInteger} from '../data/permutation.ts';
import {draw} from '../random/philox.ts';

/** The number of each draw. They belong to the operation and not to its place, so that adding one leaves the others' noise alone. */
export const DRAW = {
  shiftDown: 0,
  shiftRight: 2,
  flip: 4,
  cropTop: 6,
  cropLeft: 8,
  jitterOrder: 10, // and 12, 14, 16
  brightness: 18,
  contrast: 20,
  saturation: 22,
  hue: 24,
  randomCropTop: 26,
  randomCropLeft: 28,
  verticalFlip: 30,
  resizedCropTop: 32,
  resizedCropLeft: 34,
  resizedCropShape: 36, // area and ratio of each try: 36, 38, … 74
} as const;

/** Whose noise it is. */
export interface NoiseSource {
  readonly seed: number;
  readonly epoch: number;
  readonly sample: number;
}

/** Random numbers of one picture in one epoch; a draw takes the words `index` and `index + 1`. */
export interface Draws {
  /** An integer in [0, n). */
  integer(n: number, index: number): number;
  /** A number in [low, high), from 53 bits. */
  uniform(low: number, high: number, index: number): number;
  /** A number in [0, 1), from 32 bits. */
  chance(index: number): number;
}

export function drawsOf({seed, epoch, sample}: NoiseSource): Draws {
  const integer = (n: number, index: number): number => drawInteger(n, seed, 'augment', epoch, sample, index);
  return {
    integer,
    uniform: (low, high, index) => low + (high - low) * (integer(2 ** 53, index) / 2 ** 53),
    chance: (index) => draw(seed, 'augment', epoch, sample, index) / 2 ** 32,
  };
}
