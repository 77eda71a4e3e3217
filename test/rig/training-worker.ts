/** Trains networks on `tensorflow` with a number of threads and prints a line for each way of training, name and SHA-256 of the weights: `training-worker.ts THREADS`. */
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
/** Wide enough that TensorFlow's MatMul computes its products in fp32 (`oursIsFaster` in product.ts). */
const wide = {...vit, hidden_size: 384, num_attention_heads: 6, intermediate_size: 768};
const resnet = {model: 'resnet', depth: 8, width: 16, labels: 10, image_size: 28, num_channels: 1};
const dropping = {...vit, hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1};
const training = {
  data: {name: 'mnist', root: embeddedMnist() ?? '', limit: {train: 90, test: 20}},
  length: '8it',
  lr: 1e-3,
  batch: 32,
  seed: 1,
};
for (const [name, stage, config, params] of [
  ['vit', finetune, vit, {}],
  ['vit, bf16', finetune, vit, {precision: 'bf16'}],
  ['wide vit', finetune, wide, {length: '2it'}],
  ['wide vit, bf16', finetune, wide, {length: '2it', precision: 'bf16'}],
  ['resnet, group', finetune, {...resnet, norm: 'group'}, {length: '2it'}],
  ['resnet, batch', finetune, {...resnet, norm: 'batch'}, {length: '2it'}],
  [
    'vit by Nesterov',
    finetune,
    vit,
    {optimizer: {name: 'sgd', momentum: 0.9, nesterov: true}, label_smoothing: 0.1, accumulate: 2},
  ],
  ['vit by AdaMax', finetune, dropping, {optimizer: 'adamax'}],
  ['vit pruned', platonPrune, dropping, {optimizer: 'adam', weight_decay: 0.1, keep: 0.3, interval: 2}],
] as const) {
  const model = bindModel(config);
  const weights = {model: model.config, preprocessor: {}, tensors: initialise(model, 1)};
  const outputs = await stage.run({params: {...training, ...params}, inputs: {weights}, services});
  const declared = stage.outputs.weights;
  if (!declared) throw new Error(`${stage.name} declares no weights`);
  console.log(`${name}: ${digestOf(encodeOutput(declared, outputs.weights))}`);
}
