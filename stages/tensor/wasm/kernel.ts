import type {KernelFunc, TensorInfo} from '@tensorflow/tfjs';
import type {BackendWasm} from '@tensorflow/tfjs-backend-wasm';
import type {Tf} from '../library.ts';

export const isWasm = (backend: object): backend is BackendWasm => 'wasm' in backend && 'dataIdMap' in backend;

/** The wasm back end, which must be the one in charge. */
export function loadedWasm(tf: Tf): BackendWasm {
  const backend = tf.backend();
  if (isWasm(backend)) return backend;
  throw new Error('Internal error: the wasm back end is not the one in charge');
}

/** A kernel of the wasm back end as a function. */
export function kernelOf(tf: Tf, name: string): KernelFunc {
  const kernel = tf.getKernel(name, 'wasm');
  if (!kernel) throw new Error(`Internal error: the wasm back end has no kernel ${name}`);
  return kernel.kernelFunc;
}

/** The output of a kernel that has one. */
export function single(output: TensorInfo | TensorInfo[]): TensorInfo {
  if (Array.isArray(output)) throw new Error('Internal error: a kernel of one output gave several');
  return output;
}

/** Number of elements of a shape. */
export const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
