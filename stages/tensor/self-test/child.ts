// The process that a set-up tests a back end in: a crash in native code ends this one alone.
import {isBackendName} from '../backend.ts';
import {loadTensorLibrary} from '../load.ts';
import {compareWithCpu} from './compare.ts';
import type {SelfTestMessage} from './result.ts';

const tell = (message: SelfTestMessage): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(message, () => resolve());
  });

const backend = process.argv[2];
if (!isBackendName(backend)) throw new Error('Internal error: the self-test was started without a back end');
await tell({state: 'started', case: 'loading'});
const tf = await loadTensorLibrary(backend, {threads: 1});
const result = await compareWithCpu(tf, tf.getBackend(), (name) => void tell({state: 'started', case: name}));
await tell({state: 'finished', result});
process.disconnect();
