import {z} from 'zod';
import {jitterSchema} from './color-jitter.ts';
import {flipSchema} from './flip.ts';
import {normalizeSchema} from './normalize.ts';
import {randomCropSchema} from './random-crop.ts';
import {randomResizedCropSchema} from './random-resized-crop.ts';

const side = z.int().min(1).max(4096);

const operation = z.union([
  z
    .strictObject({shift: z.int().min(1).max(64)})
    .describe('Moves the picture by up to this many pixels along each axis; what comes in is 0.'),
  z
    .strictObject({flip: flipSchema})
    .describe('Mirrors at random: true or a probability for left and right, or {horizontal, vertical}.'),
  z
    .strictObject({
      crop: side,
      resize: side
        .describe("Side of the square that the crop is resized to at once; the model's input when not given.")
        .optional(),
    })
    .describe('Cuts a random square of this many pixels and resizes it, bilinearly.'),
  z.strictObject({'random-crop': randomCropSchema}).describe('Adds a border and cuts a random part.'),
  z
    .strictObject({'random-resized-crop': randomResizedCropSchema})
    .describe('Cuts a random part of random area and shape, and resizes it.'),
  z.strictObject({jitter: jitterSchema}).describe('Changes brightness, contrast, saturation and hue at random.'),
  z
    .strictObject({'color-jitter': jitterSchema})
    .transform(({'color-jitter': jitter}) => ({jitter}))
    .describe('Another name of jitter.'),
  z
    .strictObject({normalize: normalizeSchema})
    .describe('Comes last: levels / 255, minus mean over deviation, in place of the preprocessor’s own numbers.'),
]);

/** What never changes a picture is no augmentation, and makes no other key. */
function changes(entry: z.output<typeof operation>): boolean {
  if ('jitter' in entry) return Object.keys(entry.jitter).length > 0;
  return !('flip' in entry && entry.flip === 0);
}

/** What is done to a training picture, in the order listed; each at most once. */
export const augmentSchema = z
  .array(operation)
  .refine(
    (list) => new Set(list.map((entry) => Object.keys(entry)[0])).size === list.length,
    'An augmentation is listed twice.',
  )
  .refine((list) => list.every((entry, place) => !('normalize' in entry) || place === list.length - 1), {
    error: 'normalize comes last: what is before it works on bytes.',
  })
  .transform((list) => list.filter(changes))
  .prefault([])
  .describe(
    'Augmentations of training pictures, in order: {random-crop: {size: 32, padding: 4}}, {random-resized-crop: {size: 224}}, {shift: 2}, {crop: 24, resize: 32}, {flip: true}, {color-jitter: {brightness: 0.4, hue: 0.1}}, {normalize: {mean, std}}.',
  );

export type Augmentation = z.output<typeof augmentSchema>;
