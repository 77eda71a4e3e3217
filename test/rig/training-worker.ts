/** Trains a vit on `tensorflow` with a number of threads and prints a SHA-256 of the weights for each way of training: `training-worker.ts THREADS`. */
import {digestOf} from '../../src/base/digest.ts';
import {NO_CHECKPOINTS} from '../../src/run/checkpoints.ts';
import finetune from '../../stages/finetune.ts';
import {embeddedMnist} from '../../stages/lib/data/mnist.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import platonPrune from '../../stages/platon-prune.ts';
import {loadTensorLibrary} from '../../stages/tensor/load.ts';
import {encodeOutput} from './encode-output.ts';

const tf = await loadTensorLibrary('tensorflow', {threads: Number(process.argv[2])});
const services = {
  tf,
  signal: new AbortController().signal,
  checkpoints: NO_CHECKPOINTS,
  log() {},
  progress() {},
  folder: () => Promise.reject(new Error('this stage was meant to need no folder')),
};
const vit = {
  model: 'vit',
  labels: 10,
  image_size: 28,
  num_channels: 1,
  patch_size: 7,
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 128,
};
const dropping = {...vit, hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1};
const training = {
  data: {name: 'mnist', root: embeddedMnist() ?? '', limit: {train: 90, test: 20}},
  length: '8it',
  lr: 1e-3,
  batch: 32,
  seed: 1,
};
for (const [stage, config, params] of [
  [finetune, vit, {}],
  [finetune, vit, {optimizer: {name: 'sgd', momentum: 0.9, nesterov: true}, label_smoothing: 0.1, accumulate: 2}],
  [finetune, dropping, {optimizer: 'adamax'}],
  [platonPrune, dropping, {optimizer: 'adam', weight_decay: 0.1, keep: 0.3, interval: 2}],
] as const) {
  const model = bindModel(config);
  const weights = {model: model.config, preprocessor: {}, tensors: initialise(model, 1)};
  const outputs = await stage.run({params: {...training, ...params}, inputs: {weights}, services});
  const declared = stage.outputs.weights;
  if (!declared) throw new Error(`${stage.name} declares no weights`);
  console.log(digestOf(encodeOutput(declared, outputs.weights)));
}
