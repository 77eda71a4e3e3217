import {z} from 'zod';
import type {Json} from '../src/base/json.ts';
import finetune from '../stages/finetune.ts';
import {embeddedMnist} from '../stages/lib/data/mnist.ts';
import {initialise} from '../stages/lib/models/initialise.ts';
import {bindModel} from '../stages/lib/models/registry.ts';
import {PRECISIONS, type Precision} from '../stages/tensor/fused/product.ts';
import {loadTensorLibrary} from '../stages/tensor/load.ts';
import {MODELS} from './cases.ts';
import {readOptions} from './options.ts';
import {quietServices} from './services.ts';

/*
 * Whether bf16 learns as fp32 does: one network trained from the same random weights by the same seeds in both, and evaluated in the
 * precision it was trained in. It is admitted when the mean of the differences lies within the noise of the seeds.
 *
 *   bin/basin-node bench/precision.ts [--steps 400] [--seeds 5] [--first 1] [--threads 1] [--cifar10 FOLDER]
 *
 * FOLDER is the one that holds data_batch_1.bin itself.
 */

const {values: options} = readOptions(import.meta.filename, {
  options: {
    steps: {type: 'string', default: '400'},
    seeds: {type: 'string', default: '5'},
    first: {type: 'string', default: '1'},
    threads: {type: 'string', default: '1'},
    cifar10: {type: 'string'},
  },
});
const steps = Number(options.steps);
const seeds = Array.from({length: Number(options.seeds)}, (_, index) => Number(options.first) + index);
const tf = await loadTensorLibrary('tensorflow', {threads: Number(options.threads)});

/** The network of the quickstart on MNIST, or with `--cifar10` that of cifar10-small. */
const task = options.cifar10
  ? {
      name: 'cifar10-small',
      model: {...MODELS['D192-L6'], num_channels: 3},
      data: {name: 'cifar10', root: options.cifar10, limit: {test: 2000}},
      settings: {batch: 32, lr: 5e-4, augment: [{flip: true}, {shift: 4}]},
    }
  : {
      name: 'quickstart',
      model: {...MODELS['D64-L4'], image_size: 28, patch_size: 7, num_attention_heads: 4},
      data: {name: 'mnist', root: embeddedMnist(), limit: {test: 2000}},
      settings: {batch: 64, lr: 1e-3, augment: [{shift: 2}]},
    };

const services = quietServices(tf);
const rows = z.array(z.object({split: z.string(), loss: z.number(), accuracy: z.number()}));

async function trained(seed: number, precision: Precision): Promise<{loss: number; accuracy: number}> {
  const model = bindModel(JSON.parse(JSON.stringify(task.model)));
  const weights = {model: model.config, preprocessor: {}, tensors: initialise(model, seed)};
  const params: Json = JSON.parse(
    JSON.stringify({...task.settings, data: task.data, seed, length: `${steps}it`, precision}),
  );
  const {summary} = await finetune.run({params, inputs: {weights}, services});
  const [row] = rows.parse(summary).filter(({split}) => split === 'test');
  if (!row) throw new Error('The network was not evaluated on test.');
  return row;
}

interface Result extends Readonly<Record<Precision, {readonly loss: number; readonly accuracy: number}>> {}

const results: Result[] = [];
for (const seed of seeds) {
  const [fp32, bf16] = [await trained(seed, 'fp32'), await trained(seed, 'bf16')];
  results.push({fp32, bf16});
  console.error(`${task.name}, seed ${seed}: ${JSON.stringify({fp32, bf16})}`);
}

function shown(values: readonly number[], digits: number): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return `${mean.toFixed(digits)} ± ${Math.sqrt(squares / (values.length - 1)).toFixed(digits)}`;
}

console.log(`${task.name}, ${steps} steps, ${seeds.length} seeds: mean ± standard deviation over seeds\n`);
console.log('| | test accuracy, % | test loss |\n|---|---|---|');
for (const precision of PRECISIONS) {
  const of = results.map((result) => result[precision]);
  console.log(
    `| ${precision} | ${shown(
      of.map(({accuracy}) => accuracy),
      2,
    )} | ${shown(
      of.map(({loss}) => loss),
      4,
    )} |`,
  );
}
const differences = (field: 'accuracy' | 'loss') => results.map(({fp32, bf16}) => bf16[field] - fp32[field]);
console.log(`| bf16 − fp32, seed by seed | ${shown(differences('accuracy'), 2)} | ${shown(differences('loss'), 4)} |`);
