import {z} from 'zod';
import {defineStage, StageError} from '../src/stage/define-stage.ts';
import {dataSetSchema} from './lib/data/data-set-value.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {sameModel} from './lib/models/known-model.ts';
import {vitConfigSchema} from './lib/models/vit-config.ts';
import {precisionSchema} from './lib/precision.ts';
import {batchGradients} from './lib/pruning/batch-gradients.ts';
import {bitsOf, zeroed} from './lib/pruning/masks.ts';
import {rearrange} from './lib/pruning/rearrange.ts';
import {rescale} from './lib/pruning/rescale.ts';
import {searchMask, type Units} from './lib/pruning/structured-search.ts';
import {unitGradients, unitMacs, weightMask} from './lib/pruning/structured-vit.ts';
import {bindTask, weightsOf} from './lib/training/task.ts';

const sum = (bits: Uint8Array): number => bits.reduce((total, bit) => total + bit, 0);

export default defineStage({
  name: 'structured-prune',
  version: 1,
  doc: 'Removes whole attention heads and neurons after training, without retraining, down to a part of the multiply-accumulates (Kwon et al. 2022).',
  params: z.strictObject({
    data: dataSetSchema,
    macs: z
      .number()
      .gt(0)
      .max(1)
      .describe('Part of the multiply-accumulates of all blocks that may be kept, in (0, 1].'),
    samples: z.int().min(1).max(1_000_000).default(2048).describe('Training pictures, drawn with replacement.'),
    batch: z.int().min(1).max(65_536).default(32).describe('Pictures of a batch; the importance depends on it.'),
    seed: z.int().min(0).default(0).describe('Decides which pictures are drawn.'),
    rearrange: z
      .boolean()
      .default(true)
      .describe('Whether the mask is rearranged in each layer by how units act together.'),
    rescale: z
      .boolean()
      .default(false)
      .describe('Whether what stays is rescaled by least squares, towards a network pruned to √macs.'),
    precision: precisionSchema,
  }),
  inputs: {weights: {kind: 'weights', doc: 'A trained vit.'}},
  outputs: {
    weights: {kind: 'weights', doc: 'The pruned network; rows and columns of what is removed are exactly 0.'},
    mask: {kind: 'mask', doc: 'What is kept of the weight matrices.'},
    summary: {
      kind: 'summary',
      doc: 'A row a block: heads and neurons that stay, and which part of its multiply-accumulates.',
      apart: ['layer'],
      columns: {layer: 'int32', heads: 'int32', neurons: 'int32', macs: 'float64'},
    },
  },
  computes: 'tensors',
  noop: {precision: 'fp32', rescale: false},
  sources: {data: resolveDataSet},
  foresee: sameModel,
  async run({params, inputs, services}) {
    const task = await bindTask(inputs.weights, params, services);
    const parsed = vitConfigSchema.safeParse(task.model.config);
    if (!parsed.success) {
      throw new StageError('Only networks of the model vit have heads to remove.', 'Prune others with platon-prune.');
    }
    const config = parsed.data;
    const {num_hidden_layers: layers, num_attention_heads: perLayer, intermediate_size: inner} = config;
    const macs = unitMacs(config);
    const gradients: {heads: Float64Array; neurons: Float64Array}[] = [];
    for await (const gradient of batchGradients(task, params, services))
      gradients.push(unitGradients(config, task.layout, task.start, gradient));
    const heads: Units = {layers, perLayer, macs: macs.head, gradients: gradients.map((batch) => batch.heads)};
    const neurons: Units = {
      layers,
      perLayer: inner,
      macs: macs.neuron,
      gradients: gradients.map((batch) => batch.neurons),
    };
    const all = layers * (perLayer * macs.head + inner * macs.neuron);
    if (params.macs * all < macs.head) {
      throw new StageError(
        `A part of ${params.macs} of the multiply-accumulates is less than one attention head.`,
        `Give \`macs\` of at least ${(macs.head / all).toPrecision(3)}.`,
      );
    }
    const found = searchMask(heads, neurons, params.macs * all);
    const kept = params.rearrange
      ? {heads: rearrange(heads, found.heads), neurons: rearrange(neurons, found.neurons)}
      : found;
    const mask = weightMask(config, kept);
    const summary = Array.from({length: layers}, (_, layer) => {
      const [h, n] = [
        sum(kept.heads.subarray(layer * perLayer, (layer + 1) * perLayer)),
        sum(kept.neurons.subarray(layer * inner, (layer + 1) * inner)),
      ];
      return {layer, heads: h, neurons: n, macs: (h * macs.head + n * macs.neuron) * (layers / all)};
    });
    const teacher = () => searchMask(heads, neurons, Math.sqrt(params.macs) * all);
    const flat = params.rescale
      ? await rescale({task, config, ...params, sampling: params}, {student: kept, teacher: teacher()}, services)
      : zeroed(task.start, bitsOf(task.layout, mask));
    return {weights: weightsOf(task, flat), mask, summary};
  },
});
