import {z} from 'zod';

const warmup = z.int().min(0).default(0).describe('Steps over which the rate rises linearly from 0.');
const form = z.discriminatedUnion('name', [
  z.strictObject({name: z.literal('linear'), warmup}),
  z.strictObject({name: z.literal('cosine'), warmup}),
  z.strictObject({name: z.literal('constant'), warmup}),
]);
const names = z.enum(['linear', 'cosine', 'constant']);

/** How the learning rate moves; a bare name is short for one without warm-up. */
export const scheduleSchema = z
  .union([names.transform((name) => ({name, warmup: 0})), form])
  .describe('How the learning rate moves: linear (to 0), cosine (to 0) or constant, or {name, warmup: steps}.');

type Schedule = z.output<typeof scheduleSchema>;

/**
 * The factor on the learning rate at a step counted from 0, as HuggingFace's schedulers have it (science §6): without
 * warm-up the first update has the whole rate, the last 1/steps of it under `linear`.
 */
export function scheduleFactor({name, warmup}: Schedule, step: number, steps: number): number {
  if (step < warmup) return step / Math.max(1, warmup);
  const done = (step - warmup) / Math.max(1, steps - warmup);
  switch (name) {
    case 'linear':
      return Math.max(0, (steps - step) / Math.max(1, steps - warmup));
    case 'cosine':
      return 0.5 * (1 + Math.cos(Math.PI * done));
    case 'constant':
      return 1;
  }
}
