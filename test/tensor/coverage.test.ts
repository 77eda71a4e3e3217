import type {KernelConfig, TensorInfo} from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {JsonObject} from '../../src/base/json.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {chooseScorer} from '../../stages/lib/pruning/choose-scorer.ts';
import {gradual} from '../../stages/lib/pruning/gradual.ts';
import {fixedMask} from '../../stages/lib/pruning/masks.ts';
import type {TrainingHook} from '../../stages/lib/training/hook.ts';
import {withOptimizer} from '../../stages/lib/training/optimizer-settings.ts';
import {trainingParameters} from '../../stages/lib/training/parameters.ts';
import {bindTask} from '../../stages/lib/training/task.ts';
import {train} from '../../stages/lib/training/train.ts';
import {convolutionCases} from '../../stages/tensor/self-test/convolutions.ts';
import {networkCases} from '../../stages/tensor/self-test/network.ts';
import {operationCases} from '../../stages/tensor/self-test/operations.ts';
import {productCases} from '../../stages/tensor/self-test/products.ts';
import {withBackend} from '../rig/tensor-backends.ts';
import {locatedMnist, preprocessor, recordingServices, SMALL_VIT} from '../training/services.ts';

const tf = await withBackend('cpu');

/** The types among some tensors, each once, as a concatenation may have any number of inputs. */
const typesOf = (tensors: readonly TensorInfo[]): string => [...new Set(tensors.map(({dtype}) => dtype))].join(', ');

/** Every kernel that `work` runs, gradients included, with the types of its inputs and outputs. */
async function kernelsOf(work: () => unknown): Promise<Set<string>> {
  const seen = new Set<string>();
  const kernels = tf.getKernelsForBackend('cpu');
  const put = (kernel: KernelConfig): void => {
    tf.unregisterKernel(kernel.kernelName, 'cpu');
    tf.registerKernel(kernel);
  };
  for (const kernel of kernels) {
    put({
      ...kernel,
      kernelFunc: (call) => {
        const output = kernel.kernelFunc(call);
        const inputs = Object.values(call.inputs).filter((input) => input !== undefined);
        seen.add(`${kernel.kernelName}(${typesOf(inputs)}) → ${typesOf([output].flat())}`);
        return output;
      },
    });
  }
  try {
    await work();
  } finally {
    for (const kernel of kernels) put(kernel);
  }
  return seen;
}

const parameters = z.strictObject(trainingParameters).transform(withOptimizer);
const data = await locatedMnist({classes: [0, 1], limit: {train: 8, test: 4}});
const vit = {...SMALL_VIT, hidden_size: 8, intermediate_size: 12};
const resnet = {model: 'resnet', depth: 8, width: 2, labels: 2, image_size: 28, num_channels: 1};
const models: Readonly<Record<string, JsonObject>> = {
  vit,
  'vit with the tanh GELU': {...vit, hidden_act: 'gelu_new'},
  'vit with dropout': {...vit, hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1},
  mlp: {model: 'mlp', labels: 2, hidden: [5]},
  'resnet under batch normalisation': {...resnet, norm: 'batch'},
  'resnet under group normalisation': {...resnet, norm: 'group', groups: 2},
};
const ways: readonly object[] = [
  {decay: 'weights'},
  {optimizer: 'adam', weight_decay: 0.1, accumulate: 2, decay: 'weights'},
  {optimizer: 'adamax', label_smoothing: 0.1},
  {
    optimizer: {name: 'sgd', momentum: 0.9, nesterov: true},
    weight_decay: 0.1,
    schedule: {name: 'step', milestones: [2]},
  },
];

const tested = await kernelsOf(() => {
  for (const {avoided, compute} of [...operationCases, ...productCases, ...networkCases, ...convolutionCases]) {
    if (!avoided) tf.tidy(() => void compute(tf));
  }
});

for (const [name, config] of Object.entries(models)) {
  test(`${name}: the self-test tries every kernel that training, pruning and evaluating runs`, async () => {
    const {services} = recordingServices();
    const model = bindModel(config);
    const weights = {model: model.config, preprocessor, tensors: initialise(model, 1)};
    const settings = ways.map((way) =>
      parameters.parse({data, length: '4it', lr: 1e-3, batch: 4, evaluate_every: 2, ...way}),
    );
    const [plain] = settings;
    if (!plain) throw new Error('no way to train');
    const task = await bindTask(weights, plain, services);
    const schedule = {steps: 4, warmup: 1, finalWarmup: 1, interval: 2, keep: 0.5};
    const scores = [{name: 'platon', beta1: 0.85, beta2: 0.95}, {name: 'magnitude'}, {name: 'movement'}] as const;
    const prunings = scores.map((score) => {
      const scorer = chooseScorer(tf, task.layout, schedule.interval, score);
      return gradual(tf, task.layout, {schedule, method: 'exact', scorer});
    });
    const kept = tf.tensor1d(new Uint8Array(task.layout.size).fill(1), 'bool');
    const hooks: readonly TrainingHook[] = [{}, ...prunings, fixedMask(tf, kept)];
    const needed = await kernelsOf(async () => {
      for (const hook of hooks) await train(task, plain, services, hook);
      for (const way of settings) await train(task, way, services);
    });
    tf.dispose(kept);
    for (const pruning of prunings) pruning.dispose();
    expect(needed.size).toBeGreaterThan(15);
    expect([...needed].filter((kernel) => !tested.has(kernel))).toEqual([]);
  });
}
