import {z} from 'zod';
import {roundComputed} from '../../../src/base/numbers.ts';
import {adjustBrightness, adjustContrast, adjustHue, adjustSaturation} from './color.ts';
import type {Picture} from './picture.ts';

/** A factor above this changes nothing more: every level that differs from what it moves away from is 0 or 255. */
const LARGEST_FACTOR = 255;
const LARGEST_HUE = 0.5;

type Range = readonly [number, number];

/** One number v, or two as they stand; `around` makes the range of v. A range that holds only `neutral` is left out. */
function rangeSchema(lowest: number, highest: number, largest: number, neutral: number, around: (v: number) => Range) {
  const factor = z.number().min(lowest).max(highest);
  return z
    .union([
      z.number().min(0).max(largest),
      z.tuple([factor, factor]).refine(([low, high]) => low <= high, 'The lower end of a range comes first.'),
    ])
    .optional()
    .transform((given): [number, number] | undefined => {
      if (given === undefined) return undefined;
      const [low, high] = typeof given === 'number' ? around(given).map(roundComputed) : given;
      if (low === undefined || high === undefined || (low === neutral && high === neutral)) return undefined;
      return [low, high];
    });
}

const strength = (what: string) =>
  rangeSchema(0, LARGEST_FACTOR, LARGEST_FACTOR - 1, 1, (v) => [Math.max(0, 1 - v), 1 + v]).describe(
    `${what}: v for a factor from max(0, 1 − v) to 1 + v, or [low, high]; 1 changes nothing.`,
  );

/** Torchvision's `ColorJitter`. In its output every strength is a range, and what changes nothing is left out. */
export const jitterSchema = z
  .strictObject({
    brightness: strength('Brightness'),
    contrast: strength('Contrast'),
    saturation: strength('Saturation'),
    hue: rangeSchema(-LARGEST_HUE, LARGEST_HUE, LARGEST_HUE, 0, (v) => [-v, v]).describe(
      'Hue: v ≤ 0.5 for a turn from −v to v, or [low, high]; 1 is the whole circle, 0 changes nothing.',
    ),
  })
  .transform(({brightness, contrast, saturation, hue}) => ({
    ...(brightness && {brightness}),
    ...(contrast && {contrast}),
    ...(saturation && {saturation}),
    ...(hue && {hue}),
  }));

export type ColorJitter = z.output<typeof jitterSchema>;

/** In torchvision's numbering, 0 to 3. */
export const JITTER_OPERATIONS = ['brightness', 'contrast', 'saturation', 'hue'] as const;

const ADJUST = {
  brightness: adjustBrightness,
  contrast: adjustContrast,
  saturation: adjustSaturation,
  hue: adjustHue,
} as const satisfies Record<Adjustment['operation'], (picture: Picture, factor: number) => Picture>;

/** One of the four, with the factor that was drawn for it. */
export interface Adjustment {
  readonly operation: (typeof JITTER_OPERATIONS)[number];
  readonly factor: number;
}

/** Applies the adjustments one after another, each on the bytes that the one before it left. */
export function colorJitter(picture: Picture, adjustments: readonly Adjustment[]): Picture {
  return adjustments.reduce((current, {operation, factor}) => ADJUST[operation](current, factor), picture);
}
