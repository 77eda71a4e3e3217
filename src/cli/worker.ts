/** What a worker process runs: `worker.ts BACKEND THREADS`, started by the driver's pool. */

import {isBackendName} from '../../stages/tensor/backend.ts';
import {compareCaptured, forgetCalls} from '../../stages/tensor/capture/captured.ts';
import {loadTensorLibrary} from '../../stages/tensor/load.ts';
import {runWorker} from '../run/run-worker.ts';
import {LIBRARY} from '../stage/library.ts';
import type {TensorLibrary} from '../stage/tensor-library.ts';
import {registry} from './registry.ts';

const [backend = '', threads = '1'] = process.argv.slice(2);
let loading: Promise<TensorLibrary> | undefined;

async function load(): Promise<TensorLibrary> {
  if (!isBackendName(backend)) throw new Error(`Internal error: no back end is named "${backend}"`);
  return loadTensorLibrary(backend, {threads: Number(threads)});
}

runWorker(
  {registry, library: LIBRARY},
  {
    library: () => {
      loading ??= load();
      return loading;
    },
    begin: forgetCalls,
    check: async () => {
      if (loading) compareCaptured(await loading);
    },
  },
);
