import {z} from 'zod';
import {dataSetSchema} from '../data/data-set-value.ts';
import {augmentSchema} from '../pictures/augment-schema.ts';
import {precisionSchema} from '../precision.ts';
import {lengthSchema, spanSchema} from './length.ts';
import {ADAMW, optimizerSchema, withOptimizer} from './optimizer-settings.ts';
import {scheduleSchema} from './schedule.ts';
import {seedsSchema} from './seeds.ts';

/** The parameters of everything that trains. */
export const trainingParameters = {
  data: dataSetSchema,
  length: lengthSchema,
  lr: z.number().positive().max(10).describe('Peak learning rate.'),
  seed: seedsSchema.prefault(0),
  batch: z
    .int()
    .min(1)
    .max(65_536)
    .default(64)
    .describe('Pictures in a batch; the last one of an epoch may be smaller.'),
  accumulate: z
    .int()
    .min(1)
    .max(65_536)
    .default(1)
    .describe('Batches to an optimizer step: its gradient is the mean over all their pictures.'),
  optimizer: optimizerSchema,
  weight_decay: z
    .number()
    .min(0)
    .max(10)
    .describe(
      'Weight decay: apart from the gradient in adamw and adamax, a part of it in adam and sgd. Not given: 0.01 for adamw and adamax, else 0, as for trainer.',
    )
    .optional(),
  decay: z
    .enum(['all', 'weights'])
    .describe(
      'What decays: all parameters, as in PyTorch, or weights only, without biases and norms. Not given: weights for trainer and adamax, else all.',
    )
    .optional(),
  label_smoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('Share of the target that all classes get alike, in training.'),
  clip: z
    .number()
    .positive()
    .nullable()
    .default(1)
    .describe('Largest L2 norm of the whole gradient; null for no clipping.'),
  schedule: scheduleSchema.prefault('linear'),
  augment: augmentSchema,
  precision: precisionSchema,
  evaluate_every: z.int().min(1).describe('Also evaluate every so many steps; the end is always evaluated.').optional(),
};

/** Further ones of what can be a part of a longer training. */
export const partParameters = {
  from: spanSchema
    .default('0it')
    .describe(
      'Begin after this much of `length`, as if it had been trained: schedule, order, augmentation and numbers of steps go on there.',
    ),
  until: spanSchema.describe('Stop after this much of `length`; not given: train to its end.').optional(),
};

/** Values of parameters that change nothing, for those that came later. */
export const TRAINING_NOOP = {
  precision: 'fp32',
  optimizer: {...ADAMW, betas: [...ADAMW.betas]},
  accumulate: 1,
  label_smoothing: 0,
};

export const PART_NOOP = {from: '0it'};

const shape = z.strictObject({...trainingParameters, ...partParameters}).transform(withOptimizer);
type All = z.output<typeof shape>;
export type TrainingParameters = Omit<All, keyof typeof partParameters> &
  Partial<Pick<All, keyof typeof partParameters>>;
