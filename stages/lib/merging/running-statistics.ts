import {z} from 'zod';
import type {Weights} from '../../../src/artifact/kinds.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {runningNames} from '../models/batch-norm.ts';
import {runningStatisticsOf} from '../models/registry.ts';

/** What becomes of running statistics in a merge that sees no pictures. */
export const mergedStatisticsSchema = z
  .literal('merged')
  .describe(
    'What becomes of running statistics (batch normalisation): merged like all else, a variance below 0 being 0. For networks that have them, and must be given there; `estimate-statistics` then estimates them anew.',
  )
  .optional();

export type MergedStatistics = z.output<typeof mergedStatisticsSchema>;

/** Which tensors hold running statistics. @throws StageError when nothing is said of some that are there, or something of none. */
export function mergedStatistics({model}: Weights, statistics: MergedStatistics): ReadonlySet<string> {
  const names = runningStatisticsOf(model);
  if (names.size > 0 && statistics === undefined) {
    throw new StageError(
      'The networks have running statistics (batch normalisation), and merging them does not give those of the merged network.',
      'Add `statistics: merged`, and estimate them anew in a stage that follows: `uses: estimate-statistics`, with `data`.',
    );
  }
  if (names.size === 0 && statistics !== undefined)
    throw new StageError('The networks have no running statistics to merge.', 'Leave `statistics` out.');
  return names;
}

const VARIANCE = runningNames('').variance;

/** A merged statistic as one that can be normalised by: changes that add up can take a variance below 0. */
export const asStatistic = (name: string, values: Float32Array): Float32Array =>
  name.endsWith(VARIANCE) ? values.map((value) => Math.max(0, value)) : values;
