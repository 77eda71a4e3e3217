import type {Tensor, TensorInfo} from '@tensorflow/tfjs';
import {isNodeBackend} from '../capture/node-backend.ts';
import type {Tf} from '../library.ts';

/** Back ends of this process whose addon has our operations. */
const withOperations = new WeakSet<object>();

/** Asks the loaded native back end once whether its addon has our operations; those who load it call this. */
export function findNativeOperations(tf: Tf): void {
  const backend: object = tf.backend();
  try {
    // Declared in the addon together with all others; TensorFlow throws at a name that it does not know.
    callNativeSingle(tf, 'BasinThreads', []).dispose();
    withOperations.add(backend);
  } catch {
    // built without them: their definitions compute
  }
}

/** Whether the back end in charge has the operations of `native/`. */
export const hasNativeOperations = (tf: Tf): boolean => withOperations.has(tf.backend());

interface Attributes {
  readonly integers?: Readonly<Record<string, number>>;
  readonly reals?: Readonly<Record<string, number>>;
  readonly booleans?: Readonly<Record<string, boolean>>;
  /** Those that say a type of element, which is float32: TensorFlow's own operations have them. */
  readonly floats?: readonly string[];
  /** Those that say a type which is int32. */
  readonly integerTypes?: readonly string[];
}

/**
 * Calls one operation of `native/` or of TensorFlow, as its declaration has inputs, outputs and attributes. Nothing of it is on the tape: wrap
 * it in `withHandGradient`. Eager and recorded steps use it alike.
 */
export function callNative(
  tf: Tf,
  name: string,
  inputs: readonly TensorInfo[],
  outputs: number,
  {integers = {}, reals = {}, booleans = {}, floats = [], integerTypes = []}: Attributes = {},
): Tensor[] {
  const backend: object = tf.backend();
  if (!isNodeBackend(backend)) throw new Error(`Internal error: ${name} was called without the native back end`);
  const {TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT, TF_INT32} = backend.binding;
  const attributes = [
    ...Object.entries(integers).map(([key, value]) => ({name: key, type: TF_ATTR_INT, value})),
    ...Object.entries(reals).map(([key, value]) => ({name: key, type: TF_ATTR_FLOAT, value})),
    ...Object.entries(booleans).map(([key, value]) => ({name: key, type: TF_ATTR_BOOL, value})),
    ...floats.map((key) => ({name: key, type: TF_ATTR_TYPE, value: TF_FLOAT})),
    ...integerTypes.map((key) => ({name: key, type: TF_ATTR_TYPE, value: TF_INT32})),
  ];
  return backend.executeMultipleOutputs(name, attributes, inputs, outputs);
}

/** The only output of such an operation. */
export function callNativeSingle(tf: Tf, name: string, inputs: readonly TensorInfo[], attributes?: Attributes): Tensor {
  const [output] = callNative(tf, name, inputs, 1, attributes);
  if (!output) throw new Error(`Internal error: ${name} gave no output`);
  return output;
}
