import type {Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D} from '@tensorflow/tfjs';
import {captured} from '../../tensor/capture/captured.ts';
import {batchOf, scalarOf, vectorOf} from '../../tensor/capture/named.ts';
import type {TensorFunction, Tensors} from '../../tensor/capture/record.ts';
import {adamw} from '../../tensor/fused/adamw.ts';
import {withHandGradient} from '../../tensor/fused/hand-gradient.ts';
import type {Tf} from '../../tensor/library.ts';
import type {Model} from '../models/model.ts';
import type {OptimizerState, StepScalars} from './adamw.ts';
import type {TrainingHook} from './hook.ts';
import {type ParameterLayout, split} from './parameter-layout.ts';
import {followBatch, inLayout, withoutStatistics, withStatistics} from './running-statistics.ts';

/** What stays the same over all steps. */
export interface StepProgram {
  readonly model: Model;
  readonly layout: ParameterLayout;
  /** Largest gradient norm, or null. */
  readonly clip: number | null;
}

/** The part of a hook that belongs to the step. */
type StepHook = Pick<TrainingHook, 'afterGradients' | 'afterUpdate'>;

type StepResult = OptimizerState & {readonly loss: Scalar; readonly gradient: Tensor1D};

/**
 * One optimizer step: a pure function of tensors, static in shape, that reads nothing on the host, so that it can be captured.
 *
 * Takes `flat`, `m`, `v` [size]; `pictures` [B, C, H, W], preprocessed, and `labels` [B] int32; the scalars of `stepScalars`; `decays`
 * [size], 1 where weight decay acts (on all when absent); what the hook asks for. Gives the next `flat`, `m`, `v`,
 * the `loss`, and `gradient` as the optimizer got it: clipped, taken at the old parameters. Running statistics have no gradient; the
 * next `flat` has moved them towards those of the batch.
 */
export function trainStep(tf: Tf, program: StepProgram, inputs: Tensors, hook: StepHook = {}): StepResult {
  const {layout, clip} = program;
  const state = stateIn(inputs);
  const pictures = batchOf(inputs, 'pictures');
  const labels = vectorOf(inputs, 'labels');
  const {loss, gradient: raw} = derive(tf, program, state.flat, {pictures, labels});
  const gradient = withoutStatistics(tf, layout, hook.afterGradients?.(raw, inputs) ?? raw);
  const decays = 'decays' in inputs ? vectorOf(inputs, 'decays') : undefined;
  const updated = adamw(tf, state, {gradient, clip, scalars: scalarsIn(inputs), decays});
  return {...updated, flat: followBatch(tf, layout, {before: state.flat, next: updated.flat, gradient: raw}), loss};
}

interface Derived {
  readonly loss: Scalar;
  /** By the parameters; at its end, where running statistics have none, those of the batch. */
  readonly gradient: Tensor1D;
}

function derive(
  tf: Tf,
  {model, layout}: StepProgram,
  flat: Tensor1D,
  {pictures, labels}: {readonly pictures: Tensor4D; readonly labels: Tensor1D},
): Derived {
  const seen: {statistics?: Tensor1D} = {};
  const {value, grad} = tf.valueAndGrad((given: Tensor) => {
    const parameters = split(tf, layout, given.as1D());
    if (!model.trainingPass) return meanCrossEntropy(tf, model.forward(tf, parameters, pictures), labels);
    const {logits, statistics} = model.trainingPass(tf, parameters, pictures);
    seen.statistics = tf.keep(inLayout(tf, layout, statistics)); // only the loss leaves the scope of a gradient
    return meanCrossEntropy(tf, logits, labels);
  })(flat);
  const {statistics} = seen;
  const gradient = statistics ? withStatistics(tf, layout, grad.as1D(), statistics) : grad.as1D();
  statistics?.dispose();
  return {loss: value.asScalar(), gradient};
}

/** The step with a hook's part in it as one graph, where the back end captures; it gives what the hook gives, and no gradient. */
export const capturedStep = (tf: Tf, program: StepProgram, hook: StepHook = {}): TensorFunction =>
  captured(tf, 'training step', (inputs) => {
    const {gradient, ...next} = trainStep(tf, program, inputs, hook);
    return {...next, ...hook.afterUpdate?.(next.flat, gradient, inputs)};
  });

/** The optimizer's tensors among those that a step takes or gives. */
export const stateIn = (tensors: Tensors): OptimizerState => ({
  flat: vectorOf(tensors, 'flat'),
  m: vectorOf(tensors, 'm'),
  v: vectorOf(tensors, 'v'),
});

const scalarsIn = (tensors: Tensors): StepScalars => ({
  shrink: scalarOf(tensors, 'shrink'),
  stepSize: scalarOf(tensors, 'stepSize'),
  rootCorrection: scalarOf(tensors, 'rootCorrection'),
});

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
