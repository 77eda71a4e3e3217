import type {Tensor, Tensor4D} from '@tensorflow/tfjs';
import type {Norm} from '../../tensor/fused/layer-norm.ts';
import type {Tf} from '../../tensor/library.ts';

/** Group normalisation (Wu & He 2018; `torch.nn.GroupNorm`): x [B, H, W, C], gain and shift [C]; variance without Bessel's correction. */
export function groupNorm(tf: Tf, x: Tensor4D, groups: number, {gain, shift, epsilon}: Norm): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const each = channels / groups;
  // over pixels first and then over channels: a mean over both at once, which are no neighbours in memory, takes much longer
  const overGroups = (t: Tensor): Tensor =>
    tf.mean(
      tf.reshape(tf.mean(tf.reshape(t, [batch, height * width, channels]), 1), [batch, 1, groups, each]),
      3,
      true,
    );
  const grouped = tf.reshape(x, [batch, height * width, groups, each]);
  const centred = tf.sub(grouped, overGroups(grouped));
  const variance = overGroups(tf.square(centred));
  const normal: Tensor4D = tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), x.shape);
  return tf.add(tf.mul(normal, gain), shift);
}
