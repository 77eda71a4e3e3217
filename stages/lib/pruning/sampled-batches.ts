import type {StageServices} from '../../../src/stage/define-stage.ts';
import {drawInteger} from '../data/permutation.ts';
import {type BatchBuffer, batchBuffer, fillBatch} from '../pictures/batch.ts';
import {abortableBreather} from '../training/breather.ts';
import type {Task} from '../training/task.ts';

export interface Sampling {
  readonly samples: number;
  readonly batch: number;
  readonly seed: number;
}

/** Training pictures drawn with replacement, in batches whose first `n` are valid until the next is asked for; the same for the same seed. */
export async function* sampledBatches(
  {data, preprocessing}: Task,
  {samples, batch, seed}: Sampling,
  {signal}: StageServices,
): AsyncGenerator<BatchBuffer & {readonly n: number}> {
  const drawn = Array.from({length: samples}, (_, sample) => drawInteger(data.train.n, seed, 'fisher', 0, sample, 0));
  const buffer = batchBuffer(preprocessing, Math.min(batch, samples));
  const pause = abortableBreather(signal);
  for (let start = 0; start < samples; start += batch) {
    const indices = drawn.slice(start, start + batch);
    fillBatch(buffer, data.train, indices, preprocessing);
    yield {...buffer, n: indices.length};
    await pause();
  }
}
