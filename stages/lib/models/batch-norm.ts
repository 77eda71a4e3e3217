import type {Tensor, Tensor4D} from '@tensorflow/tfjs';
import type {Norm} from '../../tensor/fused/layer-norm.ts';
import type {Tf} from '../../tensor/library.ts';

/** Mean and variance of each channel, [C]. */
export interface ChannelStatistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** Where running statistics lie on disk, by the name of the normalisation: PyTorch's names. */
export const runningNames = (norm: string): Readonly<Record<keyof ChannelStatistics, string>> => ({
  mean: `${norm}.running_mean`,
  variance: `${norm}.running_var`,
});

/** Statistics of a batch x [B, H, W, C] over pictures and pixels; the variance is divided by their number. */
export function batchStatistics(tf: Tf, x: Tensor4D): ChannelStatistics {
  const n = valuesPerChannel(x);
  const mean = tf.div(tf.sum(x, [0, 1, 2]), n);
  return {mean, variance: tf.div(tf.sum(tf.square(tf.sub(x, mean)), [0, 1, 2]), n)};
}

/** Of a batch's statistics, what running ones are made of: the variance as an estimate, divided by the number less one. */
export function estimates(tf: Tf, {mean, variance}: ChannelStatistics, x: Tensor4D): ChannelStatistics {
  const n = valuesPerChannel(x);
  return {mean, variance: tf.mul(variance, n / Math.max(n - 1, 1))};
}

/** Batch normalisation (Ioffe & Szegedy 2015; `torch.nn.BatchNorm2d`) of x [B, H, W, C] by given statistics. */
export function normaliseBy(tf: Tf, x: Tensor4D, {mean, variance}: ChannelStatistics, norm: Norm): Tensor4D {
  const scale = tf.mul(tf.rsqrt(tf.add(variance, norm.epsilon)), norm.gain);
  return tf.add(tf.mul(tf.sub(x, mean), scale), norm.shift);
}

const valuesPerChannel = ({shape: [batch, height, width]}: Tensor4D): number => batch * height * width;
