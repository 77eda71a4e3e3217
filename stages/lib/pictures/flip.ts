import {z} from 'zod';
import {mirror, type Picture, upsideDown} from './picture.ts';

const probability = z.number().min(0).max(1);

/**
 * Torchvision's `RandomHorizontalFlip` and `RandomVerticalFlip`. In its output, left and right alone is one probability, ½ is
 * true, and 0 is no flip at all.
 */
export const flipSchema = z
  .union([
    z.literal(true),
    probability,
    z.strictObject({horizontal: probability.optional(), vertical: probability.optional()}),
  ])
  .transform((given) => {
    const {horizontal = 0, vertical = 0} =
      typeof given === 'object' ? given : {horizontal: given === true ? 0.5 : given};
    if (vertical > 0) return {...(horizontal > 0 && {horizontal}), vertical};
    return horizontal === 0.5 ? (true as const) : horizontal;
  });

type Flip = z.output<typeof flipSchema>;

/** Mirrors where the drawn number, in [0, 1), is below the probability of that direction. */
export function flipped(
  picture: Picture,
  flip: Flip,
  drawn: {readonly horizontal: () => number; readonly vertical: () => number},
): Picture {
  const {horizontal = 0, vertical = 0} = typeof flip === 'object' ? flip : {horizontal: flip === true ? 0.5 : flip};
  const across = drawn.horizontal() < horizontal ? mirror(picture) : picture;
  return vertical > 0 && drawn.vertical() < vertical ? upsideDown(across) : across;
}
