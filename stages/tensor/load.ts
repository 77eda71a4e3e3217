import {createRequire} from 'node:module';
import {dirname, sep} from 'node:path';
import {StageError} from '../../src/stage/define-stage.ts';
import type {TensorLibrary} from '../../src/stage/tensor-library.ts';
import {loadAddon} from './addon/load-addon.ts';
import type {BackendName} from './backend.ts';
import {replaceFilterGradient} from './fused/filter-gradient.ts';
import {findNativeOperations} from './fused/native.ts';
import type {Tf} from './library.ts';
import {replaceKernels} from './wasm/replace-kernels.ts';

const require = createRequire(import.meta.url);

function requireTf(): Tf {
  const tf: Tf = require('@tensorflow/tfjs');
  tf.env().set('PROD', true); // changes nothing but warnings on the console, such as the advice to install tfjs-node
  return tf;
}

/** TensorFlow reads its environment when its libraries are loaded. */
function setEnvironment(backend: 'cuda' | 'tensorflow', threads: number): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_NUM_INTRAOP_THREADS = String(threads);
  process.env.TF_NUM_INTEROP_THREADS = '1'; // eager operations come one at a time
  if (backend === 'tensorflow') return;
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'; // else one process takes the whole memory of a card
  process.env.TF_DETERMINISTIC_OPS = '1'; // equal keys, equal bytes
  process.env.NVIDIA_TF32_OVERRIDE = '0'; // else products of float32 have ten bits of mantissa
}

/**
 * TensorFlow goes on with the processor where it cannot load a library of CUDA or open a card, and says so in a log that is off.
 *
 * @throws StageError when the back end does not compute on a card.
 */
function requireCard(backend: object): void {
  if ('isUsingGpuDevice' in backend && backend.isUsingGpuDevice === true) return;
  throw new StageError(
    'TensorFlow cannot compute on a card here, only on the processor.',
    'TF_CPP_MIN_LOG_LEVEL=0 in the environment has it say what it misses. `--backend tensorflow` is made for the processor.',
  );
}

/**
 * Loads TensorFlow.js with a back end ready to compute, once per process. `threads` is the number of processor threads
 * for one operation (`tensorflow` only: `wasm` has no threads in Node, `cpu` none at all). Every import of
 * `@tensorflow/tfjs` in this process then is the returned module.
 *
 * TensorFlow writes two lines to the standard error that no setting hides without costing speed (reference: its
 * `InitializeLog` warning and the oneDNN notice); the rest of its log is off.
 *
 * @throws StageError when the native addon is not set up, or when `cuda` finds no card that it can compute on; an Error of the loader when it cannot be loaded.
 */
export async function loadTensorLibrary(backend: BackendName, {threads}: {threads: number}): Promise<TensorLibrary> {
  switch (backend) {
    case 'cuda':
    case 'tensorflow':
      setEnvironment(backend, threads);
      loadAddon(backend === 'cuda' ? 'cuda' : 'cpu');
      break;
    case 'wasm': {
      const wasm: typeof import('@tensorflow/tfjs-backend-wasm') = require('@tensorflow/tfjs-backend-wasm');
      wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
      break;
    }
    case 'cpu':
      break;
  }
  const tf = requireTf();
  if (!(await tf.setBackend(backend === 'cuda' ? 'tensorflow' : backend)))
    throw new Error(`TensorFlow.js did not take the back end ${backend}`);
  await tf.ready();
  if (backend === 'cuda') requireCard(tf.backend());
  if (backend === 'wasm') replaceKernels(tf);
  if (backend === 'tensorflow') {
    findNativeOperations(tf);
    replaceFilterGradient(tf);
  }
  return tf;
}
