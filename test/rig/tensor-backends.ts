import {availableParallelism} from 'node:os';
import type {Tf} from '../../stages/tensor/library.ts';
import {loadTensorLibrary} from '../../stages/tensor/load.ts';

export type BackendUnderTest = 'tensorflow' | 'wasm' | 'cpu';

/**
 * TensorFlow.js with a backend in charge. There is one module in a process and one backend in charge of it, so a test
 * asks again before it computes with another.
 */
export async function withBackend(name: BackendUnderTest): Promise<Tf> {
  return loadTensorLibrary(name, {threads: availableParallelism()});
}

export interface Backend {
  readonly name: BackendUnderTest;
  readonly tf: Tf;
}

/**
 * Every backend of this machine: cpu and wasm always, tensorflow where it is set up. They share one module, and the
 * last is in charge: call `withBackend(name)` or `tf.setBackend(name)` before computing.
 */
export async function backends(): Promise<Backend[]> {
  const cpu: Backend = {name: 'cpu', tf: await withBackend('cpu')};
  const wasm: Backend = {name: 'wasm', tf: await withBackend('wasm')};
  try {
    return [cpu, wasm, {name: 'tensorflow', tf: await withBackend('tensorflow')}];
  } catch {
    return [cpu, wasm]; // not set up here; test/tensor says why
  }
}
