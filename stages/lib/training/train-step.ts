import type {Scalar, Tensor, Tensor1D} from '@tensorflow/tfjs';
import {captured} from '../../tensor/capture/captured.ts';
import {batchOf, scalarOf, vectorOf} from '../../tensor/capture/named.ts';
import type {TensorFunction, Tensors} from '../../tensor/capture/record.ts';
import {dropoutOf} from '../../tensor/dropout.ts';
import type {Tf} from '../../tensor/library.ts';
import type {Model} from '../models/model.ts';
import {throughModel} from '../models/through-model.ts';
import {meanCrossEntropy} from './cross-entropy.ts';
import type {TrainingHook} from './hook.ts';
import {adamwAsItComes, type Optimizer} from './optimizer.ts';
import {type ParameterLayout, split} from './parameter-layout.ts';
import {followBatch, inLayout, withoutStatistics, withStatistics} from './running-statistics.ts';

/** What stays the same over all steps. */
export interface StepProgram {
  readonly model: Model;
  readonly layout: ParameterLayout;
  /** Largest gradient norm, or null. */
  readonly clip: number | null;
  /** torch's AdamW as it comes when not given. */
  readonly optimizer?: Optimizer;
  /** Share of the target that all classes get alike; 0 when not given. */
  readonly labelSmoothing?: number;
}

/** The part of a hook that belongs to the step. */
type StepHook = Pick<TrainingHook, 'afterGradients' | 'afterUpdate'>;

interface Derived {
  readonly loss: Scalar;
  readonly gradient: Tensor1D;
}

/** The next parameters and what the optimizer carries, by name. */
export type TrainingState = Readonly<Record<string, Tensor1D>> & {readonly flat: Tensor1D};

/**
 * One optimizer step: a pure function of tensors, static in shape, that reads nothing on the host, so that it can be captured.
 *
 * Takes `flat` and what the optimizer carries [size]; `pictures` [B, C, H, W], preprocessed, and `labels` [B] int32; the optimizer's
 * scalars; `decays` [size], 1 where weight decay acts (on all when absent); `dropout`, int32 [2], where the model drops out; what the
 * hook asks for. Gives the next `flat` and what is carried, the `loss`, and `gradient` as the optimizer got it: clipped, taken
 * at the old parameters. Running statistics have no gradient; the next `flat` has moved them towards those of the batch.
 */
export function trainStep(tf: Tf, program: StepProgram, inputs: Tensors, hook: StepHook = {}) {
  const {loss, gradient} = derive(tf, program, inputs);
  return {...update(tf, program, inputs, gradient, hook), loss};
}

/** Mean loss of a batch and its gradient; at its end, where running statistics have none, those of the batch. */
function derive(tf: Tf, {model, layout, labelSmoothing = 0}: StepProgram, inputs: Tensors): Derived {
  const pictures = batchOf(inputs, 'pictures');
  const labels = vectorOf(inputs, 'labels');
  const dropout = 'dropout' in inputs ? dropoutOf(tf, vectorOf(inputs, 'dropout')) : undefined;
  const seen: {statistics?: Tensor1D} = {};
  const valueAndGrad = tf.valueAndGrad((flat: Tensor) => {
    const parameters = split(tf, layout, flat.as1D());
    if (!model.trainingPass)
      return meanCrossEntropy(tf, model.forward(tf, parameters, pictures, dropout), labels, labelSmoothing);
    const {logits, statistics} = model.trainingPass(tf, parameters, pictures);
    seen.statistics = tf.keep(inLayout(tf, layout, statistics)); // only the loss leaves the scope of a gradient
    return meanCrossEntropy(tf, logits, labels, labelSmoothing);
  });
  const {value, grad} = throughModel(model, () => valueAndGrad(vectorOf(inputs, 'flat')));
  const {statistics} = seen;
  const gradient = statistics ? withStatistics(tf, layout, grad.as1D(), statistics) : grad.as1D();
  statistics?.dispose();
  return {loss: value.asScalar(), gradient};
}

function update(
  tf: Tf,
  {clip, layout, optimizer = adamwAsItComes}: StepProgram,
  inputs: Tensors,
  raw: Tensor1D,
  hook: StepHook,
): TrainingState & {readonly gradient: Tensor1D} {
  const gradient = withoutStatistics(tf, layout, hook.afterGradients?.(raw, inputs) ?? raw);
  const {flat, carried, gradient: used} = optimizer.update(tf, inputs, gradient, clip);
  const followed = followBatch(tf, layout, {before: vectorOf(inputs, 'flat'), next: flat, gradient: raw});
  return {...carried, flat: followed, gradient: used};
}

/** The step with a hook's part in it; it gives what the hook gives, and no gradient. */
export const hookedStep =
  (tf: Tf, program: StepProgram, hook: StepHook = {}): TensorFunction =>
  (inputs) => {
    const {gradient, ...next} = trainStep(tf, program, inputs, hook);
    return {...next, ...hook.afterUpdate?.(next.flat, gradient, inputs)};
  };

/** The same as one graph, where the back end captures. */
export const capturedStep = (tf: Tf, program: StepProgram, hook: StepHook = {}): TensorFunction =>
  captured(tf, 'training step', hookedStep(tf, program, hook));

/**
 * A step in parts, for a group of batches: `add` takes `loss` and `gradient` so far and adds those of a batch times its
 * `share` of the group's pictures, `update` makes the step of the sum.
 */
export const capturedParts = (tf: Tf, program: StepProgram, hook: StepHook = {}) => ({
  add: captured(tf, 'gradient of a batch', (inputs) => {
    const {loss, gradient} = derive(tf, program, inputs);
    const share = scalarOf(inputs, 'share');
    return {
      loss: tf.add(scalarOf(inputs, 'loss'), tf.mul(loss, share)),
      gradient: tf.add(vectorOf(inputs, 'gradient'), tf.mul(gradient, share)),
    };
  }),
  update: captured(tf, 'optimizer step', (inputs) => {
    const {gradient, ...next} = update(tf, program, inputs, vectorOf(inputs, 'gradient'), hook);
    return {...next, ...hook.afterUpdate?.(next.flat, gradient, inputs)};
  }),
});

/** Parameters and what an optimizer carries among the tensors that a step takes or gives. */
export const stateOf = ({carries}: Optimizer, tensors: Tensors): TrainingState => ({
  ...Object.fromEntries(carries.map((name) => [name, vectorOf(tensors, name)])),
  flat: vectorOf(tensors, 'flat'),
});
