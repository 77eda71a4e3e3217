import type * as tfjs from '@tensorflow/tfjs';

/** The TensorFlow.js module, as stages and their mathematics are handed it. Imported as a type only. */
export type Tf = typeof tfjs;

declare module '../../src/stage/tensor-library.ts' {
  interface TensorLibrary extends Tf {}
}
