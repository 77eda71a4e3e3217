import type {Tensor4D} from '@tensorflow/tfjs';
import type {Norm} from '../../tensor/fused/layer-norm.ts';
import type {Tf} from '../../tensor/library.ts';

/** Group normalisation (Wu & He 2018; `torch.nn.GroupNorm`): x [B, H, W, C], gain and shift [C]; variance without Bessel's correction. */
export function groupNorm(tf: Tf, x: Tensor4D, groups: number, {gain, shift, epsilon}: Norm): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const grouped = tf.reshape(x, [batch, height * width, groups, channels / groups]);
  const centred = tf.sub(grouped, tf.mean(grouped, [1, 3], true));
  const variance = tf.mean(tf.square(centred), [1, 3], true);
  const normal: Tensor4D = tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), x.shape);
  return tf.add(tf.mul(normal, gain), shift);
}
