import {availableParallelism, cpus} from 'node:os';
import {performance} from 'node:perf_hooks';
import type {Tensor, Tensor4D} from '@tensorflow/tfjs';
import {initialise} from '../stages/lib/models/initialise.ts';
import type {Model} from '../stages/lib/models/model.ts';
import {vit} from '../stages/lib/models/vit.ts';
import {tokensOf, type VitConfig, vitConfigSchema} from '../stages/lib/models/vit-config.ts';
import type {Tf} from '../stages/tensor/library.ts';
import {loadTensorLibrary} from '../stages/tensor/load.ts';

/**
 * Pictures a second of a training step (forward, loss, gradients) and its share of the backend's best matrix product, both
 * measured in turns in one process.
 *
 *   bin/basin-node bench/train.ts [tensorflow] [wasm] [cpu]      (no name: tensorflow and wasm)
 */

interface Case {
  readonly name: string;
  readonly batch: number;
  readonly config: VitConfig;
}

const CASES: readonly Case[] = [
  {
    name: 'D64 L4, 28 px, patch 7',
    batch: 64,
    config: vitConfigSchema.parse({
      model: 'vit',
      labels: 10,
      image_size: 28,
      patch_size: 7,
      num_channels: 1,
      hidden_size: 64,
      num_hidden_layers: 4,
      num_attention_heads: 4,
      intermediate_size: 256,
    }),
  },
  {
    name: 'D192 L6, 32 px, patch 4',
    batch: 32,
    config: vitConfigSchema.parse({
      model: 'vit',
      labels: 10,
      image_size: 32,
      patch_size: 4,
      hidden_size: 192,
      num_hidden_layers: 6,
      num_attention_heads: 3,
      intermediate_size: 768,
    }),
  },
];

/**
 * Floating-point operations of the matrix products of one step: two a multiply-add; a linear layer makes three products
 * (output, input gradient, weight gradient; patches have no input gradient), attention two and four for their gradients.
 * Of the last block only what the class token needs is counted, because only that is computed.
 */
function productsOf({batch, config}: Case): number {
  const {hidden_size: width, intermediate_size: inner, num_hidden_layers: layers} = config;
  const tokens = tokensOf(config);
  const linear = (rows: number, inputs: number, outputs: number) => 3 * 2 * rows * inputs * outputs;
  const block = (queries: number) =>
    linear(batch * queries, width, 2 * width) + // query and output
    linear(batch * tokens, width, 2 * width) + // key and value
    linear(batch * queries, width, 2 * inner) +
    3 * 2 * 2 * batch * queries * tokens * width; // q kᵀ and its product with v
  const patches = (linear(batch * (tokens - 1), config.num_channels * config.patch_size ** 2, width) * 2) / 3;
  return patches + (layers - 1) * block(tokens) + block(1) + linear(batch, width, config.labels);
}

const milliseconds = (work: () => void): number => {
  const start = performance.now();
  work();
  return performance.now() - start;
};
const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN;

/** One step that leaves its gradients unread, as an optimizer on the device would; the loss is read as training does. */
function stepOf(tf: Tf, model: Model, {batch, config}: Case): () => void {
  const names = model.parameters.map(({name}) => name);
  const weights = initialise(model, 0).map(({shape, values}) => tf.tensor(values, [...shape]));
  const {num_channels: channels, image_size: size} = config;
  const pictures: Tensor4D = tf.randomNormal([batch, channels, size, size], 0, 1, 'float32', 1);
  const labels = Array.from({length: batch}, (_, index) => index % model.labels);
  const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), model.labels).toFloat();
  const loss = (...given: Tensor[]) => {
    const parameters = Object.fromEntries(names.map((name, index) => [name, given[index] ?? pictures]));
    const logits = model.forward(tf, parameters, pictures);
    return tf.mul(tf.sum(tf.mul(targets, tf.logSoftmax(logits))), -1 / batch).asScalar();
  };
  const gradients = tf.valueAndGrads((...given: Tensor[]) => loss(...given));
  return () => {
    tf.tidy(() => {
      gradients(weights).value.dataSync();
    });
  };
}

/** A product that is large enough to show a backend's peak, read back so that it is done. */
const PEAK = {rows: 2080, inner: 768, columns: 768} as const;
function peakProductOf(tf: Tf): () => void {
  const a = tf.randomNormal([PEAK.rows, PEAK.inner]);
  const b = tf.randomNormal([PEAK.inner, PEAK.columns]);
  return () => {
    tf.tidy(() => {
      tf.slice(tf.matMul(a, b), [0, 0], [1, 1]).dataSync();
    });
  };
}

const SECONDS = 12;

async function measure(backend: 'tensorflow' | 'wasm' | 'cpu'): Promise<void> {
  const tf = await loadTensorLibrary(backend, {threads: availableParallelism()});
  const product = peakProductOf(tf);
  for (const work of CASES) {
    const step = stepOf(tf, vit(work.config), work);
    step(); // the first one builds what the backend keeps
    const steps: number[] = [];
    const products: number[] = [];
    const end = performance.now() + SECONDS * 1000;
    do {
      products.push(milliseconds(product), milliseconds(product));
      for (let count = 0; count < 4; count++) steps.push(milliseconds(step));
    } while (performance.now() < end);
    // best against best: on a shared machine the medians of long and short work suffer differently
    const rate = productsOf(work) / Math.min(...steps) / 1e6;
    const peak = (2 * PEAK.rows * PEAK.inner * PEAK.columns) / Math.min(...products) / 1e6;
    const imagesPerSecond = (time: number) => ((work.batch / time) * 1000).toFixed(0);
    console.log(
      [
        backend.padEnd(10),
        `${work.name}, batch ${work.batch}`.padEnd(34),
        `${imagesPerSecond(median(steps))} images/s (best ${imagesPerSecond(Math.min(...steps))})`,
        `step ${median(steps).toFixed(1)} ms (best ${Math.min(...steps).toFixed(1)}, ${steps.length} steps)`,
        `${(productsOf(work) / 1e9).toFixed(2)} GFLOP, at best ${rate.toFixed(0)} GFLOP/s`,
        `${((100 * rate) / peak).toFixed(0)} % of matmul peak ${peak.toFixed(0)} GFLOP/s`,
      ].join('  '),
    );
  }
}

const known = ['tensorflow', 'wasm', 'cpu'] as const;
const asked = known.filter((name) => process.argv.slice(2).includes(name));
console.log(`${cpus()[0]?.model ?? 'processor unknown'}, ${availableParallelism()} threads, Node ${process.version}`);
for (const backend of asked.length > 0 ? asked : known.slice(0, 2)) await measure(backend);
