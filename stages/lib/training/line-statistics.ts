import type {Tensor1D} from '@tensorflow/tfjs';
import {z} from 'zod';
import {StageError, type StageServices} from '../../../src/stage/define-stage.ts';
import type {Tf} from '../../tensor/library.ts';
import {subset} from '../data/load-data-set.ts';
import {reEstimate, statisticsFunction} from './re-estimate.ts';
import type {Task} from './task.ts';

/** Running statistics estimated anew from training pictures. */
export const reEstimatedSchema = z.strictObject({
  pictures: z.int().min(1).describe('Training pictures, drawn once and the same for every mixture.'),
});

/** What becomes of running statistics on a line. */
export const statisticsSchema = z
  .union([z.literal('interpolated'), reEstimatedSchema])
  .describe(
    'What becomes of running statistics (batch normalisation) between the ends: estimated anew from {pictures}, or interpolated like all else. For networks that have them, and must be given there.',
  )
  .optional();

/** Gives a mixture of two networks the running statistics that were asked for, as a new tensor. */
type Restore = (flat: Tensor1D) => Promise<Tensor1D>;

/** @throws StageError when nothing is said of statistics that are there, or something of some that are not. */
export function restoreStatistics(
  task: Task,
  statistics: z.output<typeof statisticsSchema>,
  services: StageServices,
): Restore {
  const {model, layout, data} = task;
  const has = layout.trainable < layout.size;
  if (has && statistics === undefined) {
    throw new StageError(
      'The networks have running statistics (batch normalisation), and those of a network mean nothing in a mixture of two.',
      'Add `statistics: {pictures: 2000}` to estimate them anew for every mixture; `interpolate` can also mix them: `statistics: interpolated`.',
    );
  }
  if (!has && statistics !== undefined) {
    throw new StageError(
      'The networks have no running statistics, so there is nothing to estimate anew.',
      'Leave `statistics` out.',
    );
  }
  if (statistics === undefined || statistics === 'interpolated') return async (flat) => flat.clone();
  const seen = statisticsFunction(services.tf, model, layout);
  const pictures = subset(data.train, statistics.pictures, 0);
  return (flat) => reEstimate(task, seen, flat, pictures, services);
}

/** The same of values in memory. */
export async function restoredValues(tf: Tf, restore: Restore, values: Float32Array): Promise<Float32Array> {
  const mixed = tf.tensor1d(values);
  try {
    const flat = await restore(mixed);
    const found = flat.dataSync<'float32'>().slice();
    flat.dispose();
    return found;
  } finally {
    mixed.dispose();
  }
}
