import type {Tensor, Tensor4D} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {type After, addRectify} from './add-rectify.ts';
import {withHandGradient} from './hand-gradient.ts';
import type {Norm} from './layer-norm.ts';
import {callNative, callNativeSingle, hasNativeOperations} from './native.ts';

/** A normalisation over groups of channels, gain and shift [C], and what comes after it. */
interface GroupNorm extends Norm, After {
  /** Divides C. */
  readonly groups: number;
}

/** Group normalisation by TensorFlow.js. */
export function groupNormDefinition(
  tf: Tf,
  x: Tensor4D,
  {groups, gain, shift, epsilon, ...after}: GroupNorm,
): Tensor4D {
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
  return addRectify(tf, tf.add(tf.mul(normal, gain), shift), after);
}

/**
 * Group normalisation (Wu & He 2018; `torch.nn.GroupNorm`) of pictures x [B, H, W, C], variance without Bessel's correction, then the sum with
 * a residual and ReLU where they are asked for. One operation forward and one backward where the addon has them, any shape.
 */
export function groupNorm(tf: Tf, x: Tensor4D, norm: GroupNorm): Tensor4D {
  if (!hasNativeOperations(tf)) return groupNormDefinition(tf, x, norm);
  const {groups, gain, shift, epsilon, residual, rectify} = norm;
  const shared = {integers: {groups}, reals: {epsilon}};
  const pictures = withHandGradient(tf, [x, gain, shift, ...(residual ? [residual] : [])], () => {
    const none = tf.zeros([0]);
    const value = callNativeSingle(tf, 'BasinGroupNorm', [x, gain, shift, residual ?? none], {
      ...shared,
      booleans: {rectify},
    });
    return {
      value,
      saved: [x, gain, rectify ? value : none],
      gradient: (dy, saved) => {
        const gradients = callNative(tf, 'BasinGroupNormGradient', [dy, saved(0), saved(1), saved(2)], 4, {
          ...shared,
          booleans: {added: residual !== undefined},
        });
        return residual ? gradients : gradients.slice(0, 3);
      },
    };
  });
  return pictures.as4D(...x.shape);
}
