import {z} from 'zod';

/** Height and width of a picture, in pixels. */
export interface Sides {
  readonly height: number;
  readonly width: number;
}

const side = z.int().min(1).max(4096);

/** One number for a square, or [height, width]; a square is one number in its output. */
export const sidesSchema = z
  .union([side, z.tuple([side, side])])
  .transform((given) => (typeof given === 'object' && given[0] === given[1] ? given[0] : given));

export const sidesOf = (given: z.output<typeof sidesSchema>): Sides =>
  typeof given === 'number' ? {height: given, width: given} : {height: given[0], width: given[1]};
