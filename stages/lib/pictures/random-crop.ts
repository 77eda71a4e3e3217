import {z} from 'zod';
import {type Border, crop, PADDING_MODES, type Picture, pad} from './picture.ts';
import {type Sides, sidesOf, sidesSchema} from './sides.ts';

const width = z.int().min(0).max(1024);

/** The shortest form of four widths, as torchvision reads it; none for no border. */
function shortest([left, top, right, bottom]: readonly [number, number, number, number]) {
  if (left !== right || top !== bottom) return [left, top, right, bottom] as const;
  if (left !== top) return [left, top] as const;
  return left === 0 ? undefined : left;
}

const paddingSchema = z
  .union([width, z.tuple([width, width]), z.tuple([width, width, width, width])])
  .transform((given) => {
    const [left, top, right = left, bottom = top] = typeof given === 'number' ? [given, given] : given;
    return shortest([left, top, right, bottom]);
  });

/** Torchvision's `RandomCrop`. */
export const randomCropSchema = z
  .strictObject({
    size: sidesSchema.describe('Pixels of the crop: of a square, or [height, width].'),
    padding: paddingSchema
      .optional()
      .describe(
        'Pixels of a border before the crop: everywhere, [left and right, top and bottom] or [left, top, right, bottom].',
      ),
    padding_mode: z
      .enum(PADDING_MODES)
      .optional()
      .describe('With padding: constant (black, the default), edge, reflect or symmetric.'),
  })
  .refine(({padding, padding_mode}) => padding !== undefined || padding_mode === undefined, {
    path: ['padding_mode'],
    error: 'padding_mode says how a border looks, and there is no padding',
  })
  .transform(({size, padding, padding_mode}) => ({
    size,
    ...(padding !== undefined && {padding}),
    ...(padding_mode !== undefined && padding_mode !== 'constant' && {padding_mode}),
  }));

export type RandomCrop = z.output<typeof randomCropSchema>;

function borderOf({padding = 0}: RandomCrop): Border {
  const [left, top, right = left, bottom = top] = typeof padding === 'number' ? [padding, padding] : padding;
  return {left, top, right, bottom};
}

/** Sides of the picture with its border, which the crop must fit into. */
export function borderedSides({height, width: across}: Sides, given: RandomCrop): Sides {
  const {left, top, right, bottom} = borderOf(given);
  return {height: height + top + bottom, width: across + left + right};
}

/** The picture with its border, cut at a place that `integer` chooses for each axis, below its argument. */
export function randomCrop(
  picture: Picture,
  given: RandomCrop,
  integer: {readonly top: (below: number) => number; readonly left: (below: number) => number},
): Picture {
  const {height, width: across} = sidesOf(given.size);
  const bordered = pad(picture, borderOf(given), given.padding_mode ?? 'constant');
  const top = integer.top(bordered.height - height + 1);
  return crop(bordered, top, integer.left(bordered.width - across + 1), height, across);
}
