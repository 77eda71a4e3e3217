import type {NamedAttrMap, Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {withHandGradient} from './hand-gradient.ts';
import {layerNormDefinition, type Norm} from './layer-norm.ts';
import {callNative, hasNativeOperations} from './native.ts';

/** What a block adds up before it normalises: a product [N, D] without its bias [D], and what goes past it [N, D]. */
export interface Addends {
  readonly product: Tensor;
  readonly bias: Tensor;
  readonly residual: Tensor;
}

/** The sum of a block's addends, and its normal form; both [N, D]. */
interface SumAndNormal {
  readonly sum: Tensor;
  readonly normal: Tensor;
}

/** The sum and its normal form by TensorFlow.js. */
export function addNormDefinition(tf: Tf, {product, bias, residual}: Addends, norm: Norm): SumAndNormal {
  const sum = withHandGradient(tf, [product, bias, residual], () => ({
    value: tf.add(tf.add(product, bias), residual),
    saved: [],
    gradient: (dy) => [tf.clone(dy), tf.sum(dy, 0), tf.clone(dy)],
  }));
  return {sum, normal: layerNormDefinition(tf, sum, norm)};
}

/** The sum of a block's addends and its normal form, in one pass where the addon has it; any shape. */
export function addNorm(tf: Tf, addends: Addends, norm: Norm): SumAndNormal {
  if (!hasNativeOperations(tf)) return addNormDefinition(tf, addends, norm);
  if (!tf.getKernel(KERNEL, 'tensorflow')) register(tf);
  const {gain, shift, epsilon} = norm;
  const [sum, normal] = tf.engine().runKernel<Tensor[]>(KERNEL, {...addends, gain, shift}, {epsilon});
  return {sum: present(sum), normal: present(normal)};
}

const KERNEL = 'BasinAddNorm';

function present<T>(tensor: T | undefined): T {
  if (tensor === undefined) throw new Error(`Internal error: ${KERNEL} lacks a tensor`);
  return tensor;
}

const attributesOf = (attrs: NamedAttrMap | undefined) => ({reals: {epsilon: Number(attrs?.epsilon)}});

/** Makes it a kernel of TensorFlow.js, as `withHandGradient` cannot have two outputs. */
function register(tf: Tf): void {
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: 'tensorflow',
    kernelFunc: ({inputs: {product, bias, residual, gain, shift}, attrs}) =>
      callNative(tf, KERNEL, [product, bias, residual, gain, shift].map(present), 2, attributesOf(attrs)),
  });
  tf.registerGradient({
    kernelName: KERNEL,
    inputsToSave: ['gain'],
    outputsToSave: [true, false],
    gradFunc: (dys, saved, attrs) => {
      const [dSum, dNormal] = [dys].flat();
      const [gain, sum] = saved;
      const given = [dSum, dNormal, sum, gain].map(present);
      const [dx, dBias, dGain, dShift] = callNative(tf, `${KERNEL}Gradient`, given, 4, attributesOf(attrs));
      return {
        // handles of its own, as the engine disposes of one that it adds to another
        product: () => tf.clone(present(dx)),
        residual: () => tf.clone(present(dx)),
        bias: () => present(dBias),
        gain: () => present(dGain),
        shift: () => present(dShift),
      };
    },
  });
}
