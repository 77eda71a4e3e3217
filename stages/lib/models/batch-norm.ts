import type {Tensor4D} from '@tensorflow/tfjs';
import {type ChannelStatistics, valuesPerChannel} from '../../tensor/fused/batch-norm.ts';
import type {Tf} from '../../tensor/library.ts';

/** Where running statistics lie on disk, by the name of the normalisation: PyTorch's names. */
export const runningNames = (norm: string): Readonly<Record<keyof ChannelStatistics, string>> => ({
  mean: `${norm}.running_mean`,
  variance: `${norm}.running_var`,
});

/** Of a batch's statistics, what running ones are made of: the variance as an estimate, divided by the number less one. */
export function estimates(tf: Tf, {mean, variance}: ChannelStatistics, x: Tensor4D): ChannelStatistics {
  const n = valuesPerChannel(x);
  return {mean, variance: tf.mul(variance, n / Math.max(n - 1, 1))};
}
