import type {NamedAttrMap, Tensor, Tensor4D} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {type After, addRectify} from './add-rectify.ts';
import type {Norm} from './layer-norm.ts';
import {callNative, hasNativeOperations} from './native.ts';

/** Mean and variance of each channel, [C]. */
export interface ChannelStatistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** Normalised pictures [B, H, W, C], and what they were normalised by; no gradient goes through that. */
interface Normalised {
  readonly pictures: Tensor4D;
  readonly statistics: ChannelStatistics;
}

/** Pixels of all pictures. */
export const valuesPerChannel = ({shape: [batch, height, width]}: Tensor4D): number => batch * height * width;

/** Statistics of a batch x [B, H, W, C] over pictures and pixels; the variance is divided by their number. */
function batchStatistics(tf: Tf, x: Tensor4D): ChannelStatistics {
  const n = valuesPerChannel(x);
  const mean = tf.div(tf.sum(x, [0, 1, 2]), n);
  return {mean, variance: tf.div(tf.sum(tf.square(tf.sub(x, mean)), [0, 1, 2]), n)};
}

/** Batch normalisation (Ioffe & Szegedy 2015; `torch.nn.BatchNorm2d`) of x [B, H, W, C] by given statistics. */
export function normaliseBy(tf: Tf, x: Tensor4D, {mean, variance}: ChannelStatistics, norm: Norm): Tensor4D {
  const scale = tf.mul(tf.rsqrt(tf.add(variance, norm.epsilon)), norm.gain);
  return tf.add(tf.mul(tf.sub(x, mean), scale), norm.shift);
}

/** Batch normalisation by the batch's own statistics, and what comes after it, by TensorFlow.js. */
export function batchNormDefinition(tf: Tf, x: Tensor4D, norm: Norm & After): Normalised {
  const statistics = batchStatistics(tf, x);
  return {pictures: addRectify(tf, normaliseBy(tf, x, statistics, norm), norm), statistics};
}

/**
 * Batch normalisation of pictures x [B, H, W, C] as in training, by their own mean and variance (divided by the number of values), then the
 * sum with a residual and ReLU where they are asked for. One operation forward and one backward where the addon has them, any shape.
 */
export function batchNorm(tf: Tf, x: Tensor4D, norm: Norm & After): Normalised {
  if (!hasNativeOperations(tf)) return batchNormDefinition(tf, x, norm);
  if (!tf.getKernel(KERNEL, 'tensorflow')) register(tf);
  const {gain, shift, epsilon, residual, rectify} = norm;
  const none: Tensor = tf.zeros([0]);
  const inputs = {x, gain, shift, residual: residual ?? none};
  const attributes = {epsilon, rectify, added: residual !== undefined};
  const [y, mean, variance] = tf.engine().runKernel<Tensor[]>(KERNEL, inputs, attributes);
  const pictures: Tensor4D = tf.reshape(present(y), x.shape);
  return {pictures, statistics: {mean: present(mean), variance: present(variance)}};
}

const KERNEL = 'BasinBatchNorm';

function present<T>(tensor: T | undefined): T {
  if (tensor === undefined) throw new Error(`Internal error: ${KERNEL} lacks a tensor`);
  return tensor;
}

const attributesOf = (attrs: NamedAttrMap | undefined, flag: 'rectify' | 'added') => ({
  reals: {epsilon: Number(attrs?.epsilon)},
  booleans: {[flag]: attrs?.[flag] === true},
});

/** Makes it a kernel of TensorFlow.js, as `withHandGradient` cannot have three outputs. */
function register(tf: Tf): void {
  tf.registerKernel({
    kernelName: KERNEL,
    backendName: 'tensorflow',
    kernelFunc: ({inputs: {x, gain, shift, residual}, attrs}) =>
      callNative(tf, KERNEL, [x, gain, shift, residual].map(present), 3, attributesOf(attrs, 'rectify')),
  });
  tf.registerGradient({
    kernelName: KERNEL,
    inputsToSave: ['x', 'gain'],
    outputsToSave: [true, true, true],
    gradFunc: (dys, saved, attrs) => {
      const [dy] = [dys].flat();
      const [x, gain, y, mean, variance] = saved;
      const cutOff = attrs?.rectify === true ? y : tf.zeros([0]);
      const given = [dy, x, gain, mean, variance, cutOff].map(present);
      const gradients = callNative(tf, `${KERNEL}Gradient`, given, 4, attributesOf(attrs, 'added'));
      const [dx, dGain, dShift, dResidual] = gradients;
      return {
        x: () => present(dx),
        gain: () => present(dGain),
        shift: () => present(dShift),
        residual: () => present(dResidual),
      };
    },
  });
}
