import type {Tensor1D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';
import type {ParameterTensors} from '../models/model.ts';
import type {ParameterLayout} from './parameter-layout.ts';

/** Weight of a batch in the running statistics of training: PyTorch's default. */
const MOMENTUM = 0.1;

/** The running statistics of a flat vector: its end. */
export const runningStatistics = (tf: Tf, {trainable, size}: ParameterLayout, flat: Tensor1D): Tensor1D =>
  tf.slice(flat, trainable, size - trainable);

/** A batch's statistics by name as such an end. */
export const inLayout = (tf: Tf, {entries, trainable}: ParameterLayout, statistics: ParameterTensors): Tensor1D =>
  tf.concat(
    entries
      .filter(({offset}) => offset >= trainable)
      .map(({name}) => {
        const tensor = statistics[name];
        if (!tensor) throw new Error(`Internal error: a batch gave nothing for ${name}`);
        return tensor.as1D();
      }),
  );

/** The vector with other running statistics. */
export const withStatistics = (tf: Tf, {trainable}: ParameterLayout, flat: Tensor1D, end: Tensor1D): Tensor1D =>
  tf.concat([tf.slice(flat, 0, trainable), end]);

/** Running statistics moved towards those of a batch; `weight` 1 gives the batch's own. */
export const moved = (tf: Tf, running: Tensor1D, batch: Tensor1D, weight: number): Tensor1D =>
  tf.add(tf.mul(running, 1 - weight), tf.mul(batch, weight));

/** A gradient that carries a batch's statistics at its end, as an optimizer takes it: 0 there. */
export const withoutStatistics = (tf: Tf, layout: ParameterLayout, gradient: Tensor1D): Tensor1D =>
  layout.trainable === layout.size
    ? gradient
    : withStatistics(tf, layout, gradient, tf.zeros([layout.size - layout.trainable]));

/** The next vector with the running statistics of the one before, moved towards those that a gradient carries at its end. */
export const followBatch = (
  tf: Tf,
  layout: ParameterLayout,
  {before, next, gradient}: Readonly<Record<'before' | 'next' | 'gradient', Tensor1D>>,
): Tensor1D => {
  if (layout.trainable === layout.size) return next;
  const [running, batch] = [runningStatistics(tf, layout, before), runningStatistics(tf, layout, gradient)];
  return withStatistics(tf, layout, next, moved(tf, running, batch, MOMENTUM));
};
