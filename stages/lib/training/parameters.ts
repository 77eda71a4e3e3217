import {z} from 'zod';
import {dataSetSchema} from '../data/data-set-value.ts';
import {augmentSchema} from '../pictures/augment-schema.ts';
import {precisionSchema} from '../precision.ts';
import {lengthSchema} from './length.ts';
import {scheduleSchema} from './schedule.ts';
import {seedsSchema} from './seeds.ts';

/** The parameters of everything that trains. */
export const trainingParameters = {
  data: dataSetSchema,
  length: lengthSchema,
  lr: z.number().positive().max(10).describe('Peak learning rate of AdamW.'),
  seed: seedsSchema.prefault(0),
  batch: z
    .int()
    .min(1)
    .max(65_536)
    .default(64)
    .describe('Pictures in a batch; the last one of an epoch may be smaller.'),
  weight_decay: z
    .number()
    .min(0)
    .max(10)
    .default(0.01)
    .describe("AdamW's decoupled weight decay. PyTorch's default is 0.01, HuggingFace Trainer's 0."),
  decay: z
    .enum(['all', 'weights'])
    .default('all')
    .describe('What decays: all parameters, as in PyTorch, or weights only, without biases and norms.'),
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

const shape = z.strictObject(trainingParameters);
export type TrainingParameters = z.output<typeof shape>;
