import {z} from 'zod';

/** How PLATON smooths what it has seen of a weight. */
export const smoothing = {
  beta1: z.number().min(0).lt(1).default(0.85).describe('Weight of the past in the smoothed importance.'),
  beta2: z
    .number()
    .min(0)
    .max(1)
    .default(0.95)
    .describe('Weight of the past in the smoothed uncertainty; 1 scores by importance alone.'),
};

const form = z.discriminatedUnion('name', [
  z.strictObject({name: z.literal('platon'), ...smoothing}),
  z.strictObject({
    name: z.literal('magnitude'),
    rescore: z
      .literal('step')
      .describe('In the final phase weights are chosen anew after every step, and not at multiples of ΔT.')
      .optional(),
  }),
  z.strictObject({name: z.literal('movement')}),
  z.strictObject({name: z.literal('random'), seed: z.int().min(0).default(0).describe('Decides the scores.')}),
]);

/** By what weights are compared; a bare name is short for one with its defaults. */
export const scoreSchema = z
  .union([z.enum(['platon', 'magnitude', 'movement', 'random']).transform((name) => form.parse({name})), form])
  .describe(
    'By what weights are compared: platon, magnitude, movement or random; or {name: platon, beta1, beta2}, {name: magnitude, rescore: step}, {name: random, seed}.',
  );

export type Score = z.output<typeof form>;

/**
 * The first step after which scores say anything. Of PLATON the first window to be averaged is the one before the first multiple of ΔT, and before
 * step 1 there is none.
 */
export const firstScored = (name: Score['name'], interval: number): number =>
  name === 'platon' ? Math.max(2, interval) : 1;
