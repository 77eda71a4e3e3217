import type {KernelFunc} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {isWasm} from './kernel.ts';

const KERNEL = 'Identity';

/**
 * Replaces the wasm back end's identity, which copies, by one more reference to the same memory, as its reshape does. The
 * engine clones every tensor that a gradient or a tidy keeps: more than two hundred in a training step of a small ViT.
 */
export function replaceIdentity(tf: Tf): void {
  const original = tf.getKernel(KERNEL, 'wasm');
  if (!original) throw new Error('Internal error: the wasm back end has no identity');

  const kernelFunc: KernelFunc = (call) => {
    const {x} = call.inputs;
    const {backend} = call;
    if (!x || !isWasm(backend)) throw new Error('Internal error: an identity without an operand or back end');
    if (x.dtype === 'string') return original.kernelFunc(call);
    backend.incRef(x.dataId);
    return {dataId: x.dataId, shape: x.shape, dtype: x.dtype};
  };
  tf.unregisterKernel(KERNEL, 'wasm');
  tf.registerKernel({...original, kernelFunc});
}
