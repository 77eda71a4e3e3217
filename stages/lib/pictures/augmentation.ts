import {z} from 'zod';
import {drawInteger} from '../data/permutation.ts';
import {draw} from '../random/philox.ts';
import {type Adjustment, type ColorJitter, colorJitter, JITTER_OPERATIONS, jitterSchema} from './color-jitter.ts';
import {crop, mirror, type Picture, shift} from './picture.ts';
import {resize} from './resize.ts';

const side = z.int().min(1).max(4096);

const operation = z.union([
  z
    .strictObject({shift: z.int().min(1).max(64)})
    .describe('Moves the picture by up to this many pixels along each axis; what comes in is 0.'),
  z.strictObject({flip: z.literal(true)}).describe('Mirrors left and right with probability 0.5.'),
  z
    .strictObject({
      crop: side,
      resize: side
        .describe("Side of the square that the crop is resized to at once; the model's input when not given.")
        .optional(),
    })
    .describe('Cuts a random square of this many pixels and resizes it, bilinearly.'),
  z.strictObject({jitter: jitterSchema}).describe('Changes brightness, contrast, saturation and hue at random.'),
]);

const changes = (entry: z.output<typeof operation>): boolean =>
  !('jitter' in entry) || Object.keys(entry.jitter).length > 0;

/** What is done to a training picture, in the order listed; each at most once. */
export const augmentSchema = z
  .array(operation)
  .refine(
    (list) => new Set(list.map((entry) => Object.keys(entry)[0])).size === list.length,
    'An augmentation is listed twice.',
  )
  // strengths of 0 are no augmentation, and make no other key
  .transform((list) => list.filter(changes))
  .prefault([])
  .describe(
    'Augmentations of training pictures, in order: {shift: 2}, {crop: 24, resize: 32}, {flip: true}, {jitter: {brightness: 0.4, hue: 0.1}}.',
  );

export type Augmentation = z.output<typeof augmentSchema>;

/** The number of each draw. They belong to the operation and not to its place, so that adding one leaves the others' noise alone. */
const DRAW = {
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
} as const;

/** Whose noise it is. */
interface NoiseSource {
  readonly seed: number;
  readonly epoch: number;
  readonly sample: number;
}

/** Random numbers of one picture in one epoch; a draw takes the words `index` and `index + 1`. */
interface Draws {
  /** An integer in [0, n). */
  integer(n: number, index: number): number;
  /** A number in [low, high), from 53 bits. */
  uniform(low: number, high: number, index: number): number;
}

function drawsOf({seed, epoch, sample}: NoiseSource): Draws {
  const integer = (n: number, index: number): number => drawInteger(n, seed, 'augment', epoch, sample, index);
  return {integer, uniform: (low, high, index) => low + (high - low) * (integer(2 ** 53, index) / 2 ** 53)};
}

/**
 * Applies the list to one picture; `size` is the model's input, which a crop without `resize` is resized to. The input is not
 * written to.
 */
export function augmentPicture(picture: Picture, list: Augmentation, size: number, noise: NoiseSource): Picture {
  let current = picture;
  const draws = drawsOf(noise);
  for (const entry of list) {
    if ('shift' in entry) {
      const span = 2 * entry.shift + 1;
      current = shift(
        current,
        draws.integer(span, DRAW.shiftDown) - entry.shift,
        draws.integer(span, DRAW.shiftRight) - entry.shift,
      );
    } else if ('crop' in entry) {
      const top = draws.integer(current.height - entry.crop + 1, DRAW.cropTop);
      const left = draws.integer(current.width - entry.crop + 1, DRAW.cropLeft);
      const target = entry.resize ?? size;
      current = resize(crop(current, top, left, entry.crop, entry.crop), target, target, 'bilinear');
    } else if ('jitter' in entry) {
      current = colorJitter(current, drawJitter(entry.jitter, draws));
    } else if (draw(noise.seed, 'augment', noise.epoch, noise.sample, DRAW.flip) < 2 ** 31) {
      current = mirror(current);
    }
  }
  return current;
}

/** As torchvision's `ColorJitter.get_params`: an order of all four operations, and a factor for those in use. */
function drawJitter(jitter: ColorJitter, draws: Draws): readonly Adjustment[] {
  const left = [...JITTER_OPERATIONS];
  const order = JITTER_OPERATIONS.flatMap((_, place) =>
    left.splice(draws.integer(left.length, DRAW.jitterOrder + 2 * place), 1),
  );
  return order.flatMap((operation) => {
    const range = jitter[operation];
    return range === undefined ? [] : [{operation, factor: draws.uniform(range[0], range[1], DRAW[operation])}];
  });
}
