import {z} from 'zod';

const seed = z.int().min(0);

/** Where training's noise comes from; a pair of runs differs in these only. */
export const seedsSchema = z
  .union([
    seed.transform((all) => ({order: all, augment: all, dropout: all})),
    z.strictObject({
      order: seed.default(0).describe('Decides the order of the pictures in every epoch.'),
      augment: seed.default(0).describe('Decides what augmentation does to each picture.'),
      dropout: seed.default(0).describe('Decides which units dropout takes.'),
    }),
  ])
  .describe('Seed of the noise in training; one number is short for {order, augment, dropout}.');
