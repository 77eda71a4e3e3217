import type {Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D} from '@tensorflow/tfjs';
import {withHandGradient} from '../../tensor/fused/hand-gradient.ts';
import type {Tf} from '../../tensor/library.ts';
import type {Model} from '../models/model.ts';
import {adamw, clipGradient, type OptimizerState, type StepScalars} from './adamw.ts';
import {type ParameterLayout, split} from './parameter-layout.ts';

/** What stays the same over all steps. */
export interface StepProgram {
  readonly model: Model;
  readonly layout: ParameterLayout;
  /** Largest gradient norm, or null. */
  readonly clip: number | null;
  /** 1 where weight decay acts; on all when absent. */
  readonly decays: Tensor1D | undefined;
  /** What becomes of the gradient before it is clipped; pure. */
  readonly afterGradients: ((gradient: Tensor1D) => Tensor1D) | undefined;
}

interface StepBatch {
  /** [B, C, H, W], preprocessed. */
  readonly pictures: Tensor4D;
  /** [B] int32 */
  readonly labels: Tensor1D;
}

interface StepResult extends OptimizerState {
  readonly loss: Scalar;
  /** As the optimizer got it: clipped, taken at the old parameters. */
  readonly gradient: Tensor1D;
}

/** One optimizer step: a pure function of tensors, static in shape, that reads nothing on the host. */
export function trainStep(
  tf: Tf,
  program: StepProgram,
  state: OptimizerState,
  batch: StepBatch,
  scalars: StepScalars,
): StepResult {
  const {model, layout, clip, decays, afterGradients} = program;
  const {value: loss, grad} = tf.valueAndGrad((flat: Tensor) =>
    meanCrossEntropy(tf, model.forward(tf, split(tf, layout, flat.as1D()), batch.pictures), batch.labels),
  )(state.flat);
  const raw = afterGradients ? afterGradients(grad.as1D()) : grad.as1D();
  const gradient = clip === null ? raw : clipGradient(tf, raw, clip).clipped;
  return {...adamw(tf, state, gradient, scalars, decays), loss: loss.asScalar(), gradient};
}

/** Mean cross-entropy of logits [B, K] and int32 labels [B], with its gradient (softmax − one-hot) / B by hand. */
function meanCrossEntropy(tf: Tf, logits: Tensor2D, labels: Tensor1D): Scalar {
  const [batch, classes] = logits.shape;
  return withHandGradient(tf, [logits], () => {
    // cast after, because the wasm backend writes int32 whatever type is asked of oneHot
    const target = tf.cast(tf.oneHot(labels, classes), 'float32');
    const logProbabilities = tf.logSoftmax(logits);
    return {
      value: tf.div(tf.neg(tf.sum(tf.mul(target, logProbabilities))), batch),
      saved: [logProbabilities, target],
      gradient: (dy, saved) => [tf.mul(tf.sub(tf.exp(saved(0)), saved(1)), tf.div(dy, batch))],
    };
  }).asScalar();
}
