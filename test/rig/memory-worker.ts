/** Prunes by PLATON for 1,000 steps on a back end, evaluating and with two threads, and prints resident memory (MiB) and tensors at some of them: `memory-worker.ts BACKEND`. */
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {NO_CHECKPOINTS} from '../../src/run/checkpoints.ts';
import {embeddedMnist} from '../../stages/lib/data/mnist.ts';
import platonPrune from '../../stages/platon-prune.ts';
import pretrainLoad from '../../stages/pretrain-load.ts';
import {isBackendName} from '../../stages/tensor/backend.ts';
import {loadTensorLibrary} from '../../stages/tensor/load.ts';

const backend = process.argv[2];
if (!isBackendName(backend)) throw new Error(`no back end is named ${backend}`);
const tf = await loadTensorLibrary(backend, {threads: 2});
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
const services = {
  tf,
  signal: new AbortController().signal,
  checkpoints: NO_CHECKPOINTS,
  log() {},
  folder: () => Promise.reject(new Error('this stage was meant to need no folder')),
  progress: ({step}: {readonly step: number}) => {
    if (step % 100 !== 0) return;
    collect();
    console.log(JSON.stringify({step, rss: process.memoryUsage.rss() / 2 ** 20, tensors: tf.memory().numTensors}));
  },
};
const model = {
  model: 'vit',
  image_size: 28,
  patch_size: 7,
  num_channels: 1,
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 1, // of 64, which our attention takes
  intermediate_size: 64,
  labels: 10,
};
const {weights} = await pretrainLoad.run({params: {source: 'random', seed: 1, model}, inputs: {}, services});
await platonPrune.run({
  params: {
    data: {name: 'mnist', root: embeddedMnist() ?? '', limit: {train: 2000, test: 100}},
    length: '1000it',
    lr: 1e-3,
    batch: 32,
    augment: [{shift: 2}],
    keep: 0.3,
    warmup: 50,
    final_warmup: 100,
    interval: 10,
    evaluate_every: 90,
  },
  inputs: {weights},
  services,
});
