import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {isWasm, kernelOf, single} from './kernel.ts';

const KERNEL = '_FusedMatMul';

/** Kernels of the activations that `tf.fused.matMul` knows; `linear` is none. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
};

/**
 * Replaces the wasm back end's fused product, which adds its bias wrongly to a batch or under a transpose
 * (tfjs-backend-wasm 4.22), by the product, the sum and the activation one after another. Call it after the product
 * itself has been replaced.
 */
export function replaceFusedMatMul(tf: Tf): void {
  const original = tf.getKernel(KERNEL, 'wasm');
  const multiply = kernelOf(tf, 'BatchMatMul');
  const add = kernelOf(tf, 'Add');
  if (!original) throw new Error('Internal error: the wasm back end has no fused matrix product');

  const kernelFunc: KernelFunc = ({inputs, attrs, backend}) => {
    const {a, b, bias, preluActivationWeights} = inputs;
    const {transposeA = false, transposeB = false, activation = 'linear', leakyreluAlpha} = attrs ?? {};
    if (!a || !b || !isWasm(backend)) throw new Error('Internal error: a matrix product without operands or back end');
    const replaceBy = (value: TensorInfo, next: TensorInfo | TensorInfo[]): TensorInfo => {
      backend.disposeData(value.dataId);
      return single(next);
    };
    let out = single(multiply({inputs: {a, b}, attrs: {transposeA, transposeB}, backend}));
    if (bias) out = replaceBy(out, add({inputs: {a: out, b: bias}, attrs: {}, backend}));
    if (activation === 'linear') return out;
    const name = ACTIVATIONS[String(activation)];
    if (!name) throw new Error(`fused.matMul: the activation ${activation} is unknown`);
    const extra = preluActivationWeights ? {alpha: preluActivationWeights} : {};
    const alpha = typeof leakyreluAlpha === 'number' ? {alpha: leakyreluAlpha} : {};
    return replaceBy(out, kernelOf(tf, name)({inputs: {x: out, ...extra}, attrs: alpha, backend}));
  };
  tf.unregisterKernel(KERNEL, 'wasm');
  tf.registerKernel({...original, kernelFunc});
}
