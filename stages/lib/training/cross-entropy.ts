import type {Scalar, Tensor1D, Tensor2D} from '@tensorflow/tfjs';
import {withHandGradient} from '../../tensor/fused/hand-gradient.ts';
import type {Tf} from '../../tensor/library.ts';

/**
 * Mean cross-entropy of logits [B, K] and int32 labels [B], with its gradient (softmax − target) / B by hand. The target is
 * (1 − smoothing) · one-hot + smoothing / K, as torch's CrossEntropyLoss has it (Szegedy et al. 2016, §7).
 */
export function meanCrossEntropy(tf: Tf, logits: Tensor2D, labels: Tensor1D, smoothing = 0): Scalar {
  const [batch, classes] = logits.shape;
  return withHandGradient(tf, [logits], () => {
    // tfjs makes no one-hot of one class; cast after, because the wasm backend writes int32 whatever type is asked of oneHot
    const hot = tf.cast(classes === 1 ? tf.equal(labels.as2D(batch, 1), 0) : tf.oneHot(labels, classes), 'float32');
    const target = smoothing === 0 ? hot : tf.add(tf.mul(hot, 1 - smoothing), smoothing / classes);
    const logProbabilities = tf.logSoftmax(logits);
    return {
      value: tf.div(tf.neg(tf.sum(tf.mul(target, logProbabilities))), batch),
      saved: [logProbabilities, target],
      gradient: (dy, saved) => [tf.mul(tf.sub(tf.exp(saved(0)), saved(1)), tf.div(dy, batch))],
    };
  }).asScalar();
}
