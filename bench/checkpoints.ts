import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {performance} from 'node:perf_hooks';
import {digestOfFile} from '../src/base/digested-files.ts';
import {checkpointsIn} from '../src/run/checkpoints.ts';
import type {Checkpoints} from '../src/stage/checkpoint.ts';
import {resolveDataSet} from '../stages/lib/data/resolve-data-set.ts';
import {initialise} from '../stages/lib/models/initialise.ts';
import {bindModel} from '../stages/lib/models/registry.ts';
import platonPrune from '../stages/platon-prune.ts';
import {loadTensorLibrary} from '../stages/tensor/load.ts';
import {quietServices} from './services.ts';

/*
 * What checkpoints cost: the time that a PLATON stage (which has the largest ones) spends in saving, of its whole time, by the rule
 * and the files of a real run.
 *
 *   bin/basin-node bench/checkpoints.ts [steps, 200]
 */

const steps = Number(process.argv[2] ?? 200);
const tf = await loadTensorLibrary('tensorflow', {threads: 2});
const resolution = await resolveDataSet(
  {name: 'mnist', limit: {train: 4000, test: 100}},
  {folder: '/', digestOfFile, mayDownload: false},
);
if (resolution.state === 'unresolved') throw new Error(resolution.reason);

for (const [width, layers, heads] of [
  [64, 4, 4],
  [192, 6, 3],
  [384, 6, 6],
] as const) {
  const model = bindModel({
    ...{model: 'vit', labels: 10, image_size: 28, patch_size: 7, num_channels: 1},
    ...{hidden_size: width, num_hidden_layers: layers, num_attention_heads: heads, intermediate_size: 4 * width},
  });
  const folder = mkdtempSync(join(tmpdir(), 'basin-bench-'));
  const signal = new AbortController().signal;
  const real = checkpointsIn(join(folder, 'scratch'), folder, {signal, warn: (message) => console.error(message)});
  let spent = 0;
  let saves = 0;
  const timed: Checkpoints = {
    load: real.load,
    offer: async (make) => {
      const began = performance.now();
      await real.offer(() => {
        saves++;
        return make();
      });
      spent += performance.now() - began;
    },
  };
  const began = performance.now();
  await platonPrune.run({
    params: {data: resolution.located, length: `${steps}it`, lr: 1e-4, batch: 32, seed: 1, keep: 0.2},
    inputs: {weights: {model: model.config, preprocessor: {}, tensors: initialise(model, 0)}},
    services: {...quietServices(tf), signal, checkpoints: timed},
  });
  const whole = performance.now() - began;
  rmSync(folder, {recursive: true});
  const share = ((100 * spent) / whole).toFixed(2);
  console.log(
    `D${width} L${layers}: ${steps} steps in ${(whole / 1000).toFixed(1)} s, ${saves} checkpoints made, ${spent.toFixed(0)} ms, ${share} %`,
  );
}
