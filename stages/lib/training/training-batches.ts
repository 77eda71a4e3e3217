import {permutation} from '../data/permutation.ts';
import {type Feed, openFeed} from '../pictures/feed.ts';
import type {BatchPlan} from '../pictures/shared-work.ts';
import {trainingPreprocessing} from '../pictures/training-preprocessing.ts';
import type {TrainingParameters} from './parameters.ts';
import type {Task} from './task.ts';

/** The pictures of a step: `count` batches with `total` pictures together, each asked for when the one before has been used. */
interface StepBatches {
  readonly count: number;
  readonly total: number;
  readonly next: Feed['next'];
}

/** The pictures of each step, in batches, every epoch in an order of its own. */
interface TrainingBatches {
  /** Steps are asked for one after another, from the one after `first`. */
  of(step: number): StepBatches;
  close(): Promise<void>;
}

/** Pictures for the steps after `first`, up to `last`. */
export function trainingBatches(
  task: Task,
  {batch, accumulate, augment, seed}: TrainingParameters,
  {first, last, stepsPerEpoch}: {readonly first: number; readonly last: number; readonly stepsPerEpoch: number},
  log: (text: string) => void,
): TrainingBatches {
  const pictures = task.data.train;
  const perEpoch = Math.ceil(pictures.n / batch);
  /** How many batches there are in all steps up to this one. */
  const batchesUpTo = (step: number): number =>
    Math.floor(step / stepsPerEpoch) * perEpoch + (step % stepsPerEpoch) * accumulate;
  const begin = batchesUpTo(first);
  let order: {readonly epoch: number; readonly samples: Uint32Array} | undefined;
  const planOf = (number: number): BatchPlan => {
    const epoch = Math.floor((begin + number) / perEpoch);
    if (order?.epoch !== epoch) order = {epoch, samples: permutation(pictures.n, seed.order, 'order', epoch)};
    const start = ((begin + number) % perEpoch) * batch;
    return {epoch, indices: order.samples.subarray(start, start + batch)};
  };
  const feed = openFeed({
    pictures,
    preprocessing: trainingPreprocessing(task.preprocessing, augment, log),
    augment,
    seed: seed.augment,
    batch: Math.min(batch, pictures.n),
    batches: batchesUpTo(last) - begin,
    planOf,
    log,
  });
  return {
    of(step) {
      const place = ((step - 1) % stepsPerEpoch) * accumulate * batch;
      const total = Math.min(accumulate * batch, pictures.n - place);
      return {count: Math.ceil(total / batch), total, next: () => feed.next()};
    },
    close: () => feed.close(),
  };
}
