import {z} from 'zod';
import {FILTERS} from './filters.ts';
import {type Sides, sidesSchema} from './sides.ts';

/** Two positive numbers, the smaller one first. */
const range = (most: number) =>
  z
    .tuple([z.number().positive().max(most), z.number().positive().max(most)])
    .refine(([low, high]) => low <= high, 'The lower end of a range comes first.');

/** Torchvision's `RandomResizedCrop`. */
export const randomResizedCropSchema = z.strictObject({
  size: sidesSchema.describe('Pixels that the crop is resized to: of a square, or [height, width].'),
  scale: range(1).default([0.08, 1]).describe('Smallest and largest part of the picture’s area.'),
  ratio: range(100)
    .default([3 / 4, 4 / 3])
    .describe('Smallest and largest width over height.'),
  interpolation: z.enum(FILTERS).default('bilinear').describe('Pillow’s filter of the resize.'),
});

export type RandomResizedCrop = z.output<typeof randomResizedCropSchema>;

/** How often a shape is drawn before the middle of the picture is taken. */
const TRIES = 10;

/** What is cut out: its sides, and where, unless that is still to be drawn. */
interface CropBox extends Sides {
  readonly at?: {readonly top: number; readonly left: number};
}

/** As Python rounds: a half goes to the even neighbour. */
function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}

/**
 * As torchvision's `get_params`: the first of ten tries that fits into the picture, else as much of its middle as `ratio` allows.
 * `draw` gives the part of the area and the width over height of a try.
 */
export function resizedCropBox(
  {height, width}: Sides,
  [narrowest, widest]: readonly [number, number],
  draw: (tried: number) => {readonly area: number; readonly ratio: number},
): CropBox {
  for (let tried = 0; tried < TRIES; tried++) {
    const {area, ratio} = draw(tried);
    const pixels = height * width * area;
    const across = roundHalfToEven(Math.sqrt(pixels * ratio));
    const down = roundHalfToEven(Math.sqrt(pixels / ratio));
    if (across > 0 && across <= width && down > 0 && down <= height) return {height: down, width: across};
  }
  const down = width / height < narrowest ? roundHalfToEven(width / narrowest) : height;
  const across = width / height > widest ? roundHalfToEven(height * widest) : width;
  return {
    height: down,
    width: across,
    at: {top: Math.floor((height - down) / 2), left: Math.floor((width - across) / 2)},
  };
}
