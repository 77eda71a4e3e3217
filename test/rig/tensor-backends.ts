import {availableParallelism} from 'node:os';
import {StageError} from '../../src/stage/define-stage.ts';
import type {Tf} from '../../stages/tensor/library.ts';
import {loadTensorLibrary} from '../../stages/tensor/load.ts';

export type BackendUnderTest = 'tensorflow' | 'wasm' | 'cpu';

const loaded = new Map<BackendUnderTest, Promise<Tf>>();

/**
 * TensorFlow.js with a backend in charge. There is one module in a process and one backend in charge of it, so a test
 * asks again before it computes with another.
 */
export async function withBackend(name: BackendUnderTest): Promise<Tf> {
  const loading = loaded.get(name) ?? loadTensorLibrary(name, {threads: availableParallelism()});
  loaded.set(name, loading);
  const tf = await loading;
  await tf.setBackend(name);
  return tf;
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
  const portable: Backend[] = [
    {name: 'cpu', tf: await withBackend('cpu')},
    {name: 'wasm', tf: await withBackend('wasm')},
  ];
  try {
    return [...portable, {name: 'tensorflow', tf: await withBackend('tensorflow')}];
  } catch (error) {
    if (error instanceof StageError) return portable; // not set up on this machine
    throw error;
  }
}
