import {z} from 'zod';
import {defineStage} from '../src/stage/define-stage.ts';
import {dataSetSchema} from './lib/data/data-set-value.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {GROUPINGS, layersOf} from './lib/layerwise/layers.ts';
import {LAYERWISE_COLUMNS, layerwiseRows, type Score} from './lib/layerwise/measure.ts';
import {countMoves, type MoveSettings, ORDERS} from './lib/layerwise/moves.ts';
import {evaluatedSplits, LINE_ENDS, refuseStrangers} from './lib/line.ts';
import {precisionSchema} from './lib/precision.ts';
import {reEstimatedSchema, restoreStatistics} from './lib/training/line-statistics.ts';
import {pack} from './lib/training/parameter-layout.ts';
import {bindTask, evaluateFlat} from './lib/training/task.ts';

const common = {
  data: dataSetSchema,
  train: z.int().min(0).default(0).describe('Training pictures to evaluate on, drawn once; 0 for none.'),
  by: z.enum(GROUPINGS).default('module').describe('What a layer is: a module, a numbered block, or a tensor.'),
  precision: precisionSchema,
  statistics: reEstimatedSchema
    .optional()
    .describe(
      'Of networks with running statistics (batch normalisation), which are estimated anew once layers are moved; must be given there.',
    ),
};
const alpha = z.number().min(0).max(1).default(0.5).describe('Weight of b in what is moved, in [0, 1].');
const cumulative = z
  .literal('cumulative')
  .describe('A group that takes one layer more each time is mixed with the other network.');
const seed = z.int().min(0).default(0).describe('Decides the order, or the directions.');

const params = z.union([
  z.strictObject({
    mode: z.literal('layer').default('layer').describe('Each layer alone is mixed with the other network.'),
    alpha,
    ...common,
  }),
  z.strictObject({
    mode: z.literal('replacement').describe('Each layer alone becomes the other network’s.'),
    ...common,
  }),
  z.strictObject({
    mode: cumulative,
    order: z
      .enum(ORDERS)
      .exclude(['random'])
      .default('shallow')
      .describe('Which layers come first: shallow, deep, random, or minimal: five of each end.'),
    alpha,
    ...common,
  }),
  z.strictObject({mode: cumulative, order: z.literal('random'), seed, alpha, ...common}),
  z.strictObject({
    mode: z.literal('direction').describe('The control: each layer of a alone is moved in a random direction.'),
    samples: z.int().min(1).max(1000).default(5).describe('Random directions for each layer.'),
    seed,
    alpha,
    ...common,
  }),
]);

/** The two whole networks are evaluated first, as they are. */
const ENDS = 2;

function settingsOf(given: z.output<typeof params>): MoveSettings {
  if (given.mode !== 'cumulative') return given;
  const {mode, alpha} = given;
  return {mode, alpha, order: given.order === 'random' ? {by: 'random', seed: given.seed} : {by: given.order}};
}

export default defineStage({
  name: 'layerwise',
  version: 1,
  doc: 'How much loss and error rise when one layer of a network, or a growing group of them, is moved towards another network.',
  params,
  inputs: LINE_ENDS,
  outputs: {
    summary: {
      kind: 'summary',
      doc: 'A row for each layer, rest and split: the network whose layer is moved and whose other layers are those of `rest`; barriers are measured from the mean of a and b.',
      apart: ['layer'],
      columns: LAYERWISE_COLUMNS,
    },
  },
  computes: 'tensors',
  noop: {precision: 'fp32'},
  sources: {data: resolveDataSet},
  async run({params, inputs: {a, b}, services}) {
    refuseStrangers(a, b);
    const {tf} = services;
    const task = await bindTask(a, params, services);
    const layers = layersOf(tf, task.model, task.layout, params.by);
    const settings = settingsOf(params);
    const steps = ENDS + countMoves(layers.length, settings);
    const restore = restoreStatistics(task, params.statistics, services);
    const splits = evaluatedSplits(task, params.train);
    const evaluate = async (values: Float32Array, done: number): Promise<readonly Score[]> => {
      const given = tf.tensor1d(values);
      const flat = done < ENDS ? given.clone() : await restore(given);
      given.dispose();
      try {
        const scores: Score[] = [];
        for (const [split, pictures] of splits) {
          const {loss, error} = await evaluateFlat(task, flat, pictures, services);
          scores.push({split, loss, error});
        }
        services.progress({step: done + 1, steps});
        return scores;
      } finally {
        flat.dispose();
      }
    };
    const networks = {a: task.start, b: pack(task.layout, b.tensors), layers};
    return {summary: await layerwiseRows(networks, settings, evaluate, services.checkpoints)};
  },
});
