import {z} from 'zod';
import {spanSchema, stepsOf, type TrainingLength} from './length.ts';

const warmup = z
  .union([
    z.number().gt(0).lt(1),
    spanSchema.transform((span) => (/^\d+it$/.test(span) ? Number.parseInt(span, 10) : span)),
  ])
  .prefault(0)
  .describe('Span over which the rate rises linearly from 0: steps, as in 5ep, or below 1 a fraction of all steps.');
const form = z.discriminatedUnion('name', [
  z.strictObject({name: z.literal('linear'), warmup}),
  z.strictObject({name: z.literal('cosine'), warmup}),
  z.strictObject({name: z.literal('constant'), warmup}),
  z.strictObject({
    name: z.literal('step'),
    milestones: z
      .array(spanSchema)
      .min(1)
      .max(1000)
      .describe('Where the rate falls: spans from the start, as in 80ep.'),
    gamma: z.number().positive().max(1).default(0.1).describe('What the rate is multiplied by at each milestone.'),
    warmup,
  }),
]);
const names = z.enum(['linear', 'cosine', 'constant']);

/** How the learning rate moves; a bare name is short for one without warm-up. */
export const scheduleSchema = z
  .union([names.transform((name) => ({name, warmup: 0})), form])
  .describe(
    'How the learning rate moves: linear (to 0), cosine (to 0) or constant, or {name, warmup}; or {name: step, milestones, gamma, warmup}.',
  );

export type ScheduleParameter = z.output<typeof scheduleSchema>;

/** A schedule in steps. */
export type Schedule =
  | {readonly name: 'linear' | 'cosine' | 'constant'; readonly warmup: number}
  | {readonly name: 'step'; readonly milestones: readonly number[]; readonly gamma: number; readonly warmup: number};

/** Whether a warm-up is given as a fraction of all steps. */
export const isFraction = (warmup: ScheduleParameter['warmup']): warmup is number =>
  typeof warmup === 'number' && warmup > 0 && warmup < 1;

function warmupSteps(warmup: ScheduleParameter['warmup'], {steps, stepsPerEpoch}: TrainingLength): number {
  if (typeof warmup === 'string') return stepsOf(warmup, stepsPerEpoch);
  // as the Trainer's get_warmup_steps rounds
  return isFraction(warmup) ? Math.ceil(warmup * steps) : warmup;
}

/** The schedule of a checked parameter, its spans turned into steps. */
export function inSteps(given: ScheduleParameter, length: TrainingLength): Schedule {
  const {stepsPerEpoch} = length;
  const warmup = warmupSteps(given.warmup, length);
  if (given.name !== 'step') return {name: given.name, warmup};
  return {...given, warmup, milestones: given.milestones.map((span) => stepsOf(span, stepsPerEpoch))};
}

/**
 * The factor on the learning rate at a step counted from 0. `linear`, `cosine` and `constant` are HuggingFace's: without
 * warm-up the first update has the whole rate, the last 1/steps of it under `linear`. `step` is open_lth's: gamma for each
 * milestone that is reached, times min(1, step / warmup), so that milestones count from the start and not from the end of warm-up.
 */
export function scheduleFactor(schedule: Schedule, step: number, steps: number): number {
  const {name, warmup} = schedule;
  const rise = step < warmup ? step / warmup : 1;
  if (name === 'step') return schedule.gamma ** schedule.milestones.filter((at) => at <= step).length * rise;
  if (rise < 1) return rise;
  switch (name) {
    case 'linear':
      return Math.max(0, (steps - step) / Math.max(1, steps - warmup));
    case 'cosine':
      return 0.5 * (1 + Math.cos(Math.PI * ((step - warmup) / Math.max(1, steps - warmup))));
    case 'constant':
      return 1;
  }
}
