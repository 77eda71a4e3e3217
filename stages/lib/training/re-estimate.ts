import type {Tensor1D} from '@tensorflow/tfjs';
import type {StageServices} from '../../../src/stage/define-stage.ts';
import {captured} from '../../tensor/capture/captured.ts';
import {batchOf, vectorOf} from '../../tensor/capture/named.ts';
import type {TensorFunction} from '../../tensor/capture/record.ts';
import type {Tf} from '../../tensor/library.ts';
import type {Pictures} from '../data/pictures.ts';
import type {Model} from '../models/model.ts';
import {batchBuffer, fillRun, pictureTensor} from '../pictures/batch.ts';
import {abortableBreather} from './breather.ts';
import {type ParameterLayout, split} from './parameter-layout.ts';
import {inLayout, moved, runningStatistics, withStatistics} from './running-statistics.ts';
import type {Task} from './task.ts';

/** Pictures in a batch whose statistics are taken; a variance within larger batches would be another one. */
const BATCH = 250;

/** The statistics of batches under given parameters; made once for all points, so that they share a graph. */
export function statisticsFunction(tf: Tf, model: Model, layout: ParameterLayout): TensorFunction {
  const {trainingPass} = model;
  if (!trainingPass) throw new Error('Internal error: a model without statistics');
  return captured(tf, 'statistics', (inputs) => {
    const parameters = split(tf, layout, vectorOf(inputs, 'flat'));
    return {statistics: inLayout(tf, layout, trainingPass(tf, parameters, batchOf(inputs, 'pictures')).statistics)};
  });
}

/**
 * The vector with its running statistics estimated anew: the mean over batches of the pictures, without augmentation, each batch weighing by its
 * size (Garipov et al. 2018, `update_bn`). What they were does not matter.
 */
export async function reEstimate(
  {layout, preprocessing}: Task,
  statistics: TensorFunction,
  flat: Tensor1D,
  pictures: Pictures,
  {tf, signal}: StageServices,
): Promise<Tensor1D> {
  const pause = abortableBreather(signal);
  const buffer = batchBuffer(preprocessing, Math.min(BATCH, pictures.n));
  let end = runningStatistics(tf, layout, flat);
  try {
    for (let start = 0; start < pictures.n; start += BATCH) {
      const n = Math.min(BATCH, pictures.n - start);
      fillRun(buffer, pictures, {start, n}, preprocessing);
      const next: Tensor1D = tf.tidy(() => {
        const found = statistics({flat, pictures: pictureTensor(tf, buffer, preprocessing, n)});
        return moved(tf, end, vectorOf(found, 'statistics'), n / (start + n));
      });
      end.dispose();
      end = next;
      await pause();
    }
    return tf.tidy(() => withStatistics(tf, layout, flat, end));
  } finally {
    end.dispose();
  }
}
