/**
 * The TensorFlow.js module that a worker hands to stages. The engine never imports TensorFlow.js, so this is
 * empty here; `stages/tensor/library.ts` merges the real module's type into it.
 */
// biome-ignore lint/suspicious/noEmptyInterface: merged into by stages/tensor/library.ts
export interface TensorLibrary {}
