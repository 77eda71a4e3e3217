import type {Tensor1D} from '@tensorflow/tfjs';
import {z} from 'zod';
import type {Row, Weights} from '../src/artifact/kinds.ts';
import {canonicalJson} from '../src/base/canonical-json.ts';
import {defineStage, StageError, type StageServices} from '../src/stage/define-stage.ts';
import {dataSetSchema} from './lib/data/data-set-value.ts';
import {subset} from './lib/data/load-data-set.ts';
import type {Pictures} from './lib/data/pictures.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {evaluationRow} from './lib/evaluate.ts';
import {precisionSchema} from './lib/precision.ts';
import {pack} from './lib/training/parameter-layout.ts';
import {reEstimate, statisticsFunction} from './lib/training/re-estimate.ts';
import {bindTask, evaluateFlat, type Task} from './lib/training/task.ts';
import type {Tf} from './tensor/library.ts';

/** (1 − α)·a + α·b in float32; α = 0 gives a and α = 1 gives b, bit for bit. */
export function interpolateParameters(tf: Tf, a: Tensor1D, b: Tensor1D, alpha: number): Tensor1D {
  if (alpha === 0) return a.clone();
  if (alpha === 1) return b.clone();
  return tf.tidy(() => tf.add(tf.mul(a, tf.scalar(1 - alpha)), tf.mul(b, tf.scalar(alpha))));
}

const params = z.strictObject({
  alpha: z.number().min(0).max(1).describe('Weight of b in [0, 1]: the point is (1 − alpha)·a + alpha·b.'),
  data: dataSetSchema,
  train: z
    .int()
    .min(0)
    .default(2000)
    .describe('Training pictures to evaluate on, drawn once and the same for all points; 0 for none.'),
  precision: precisionSchema,
  statistics: z
    .union([
      z.literal('interpolated'),
      z.strictObject({pictures: z.int().min(1).describe('Training pictures, drawn once and the same for all points.')}),
    ])
    .describe(
      'What becomes of running statistics (batch normalisation) between the ends: estimated anew from {pictures}, or interpolated like all else. For networks that have them, and must be given there.',
    )
    .optional(),
});

type Parameters = z.output<typeof params>;
type Point = {readonly index: number; readonly outputs: {readonly points: readonly Row[]}};

/** Two networks can be mixed when they have one configuration and read pictures alike. */
function refuseStrangers(a: Weights, b: Weights): void {
  for (const field of ['model', 'preprocessor'] as const) {
    if (canonicalJson(a[field]) !== canonicalJson(b[field])) {
      throw new StageError(
        `a and b differ in their ${field}, so there is no line between them.`,
        'Interpolate between two networks of one pretrain-load.',
      );
    }
  }
}

function splitsOf({data}: Task, train: number): readonly (readonly [string, Pictures])[] {
  return [
    ...(train > 0 ? ([['train', subset(data.train, train, 0)]] as const) : []),
    ...(data.validation ? ([['validation', data.validation]] as const) : []),
    ['test', data.test],
  ];
}

/** Gives a point between the ends the running statistics that were asked for; the ends keep their own. */
type Restore = (flat: Tensor1D) => Promise<Tensor1D>;

function restoreStatistics(task: Task, {statistics}: Parameters, services: StageServices): Restore {
  const {model, layout, data} = task;
  const has = layout.trainable < layout.size;
  if (has && statistics === undefined) {
    throw new StageError(
      'The networks have running statistics (batch normalisation), and those of a and b mean nothing between the two.',
      'Add `statistics: {pictures: 2000}` to estimate them anew at every point, or `statistics: interpolated`.',
    );
  }
  if (!has && statistics !== undefined) {
    throw new StageError(
      'The networks have no running statistics, so there is nothing to estimate anew.',
      'Leave `statistics` out.',
    );
  }
  if (statistics === undefined || statistics === 'interpolated') return async (flat) => flat.clone();
  const seen = statisticsFunction(services.tf, model, layout);
  const pictures = subset(data.train, statistics.pictures, 0);
  return (flat) => reEstimate(task, seen, flat, pictures, services);
}

async function* walk(
  points: readonly Parameters[],
  {a, b}: {readonly a: Weights; readonly b: Weights},
  services: StageServices,
): AsyncGenerator<Point> {
  const [first] = points;
  if (!first) return;
  const {tf} = services;
  refuseStrangers(a, b);
  const task = await bindTask(a, first, services);
  const from = tf.tensor1d(task.start);
  const to = tf.tensor1d(pack(task.layout, b.tensors));
  const splits = splitsOf(task, first.train);
  try {
    const restore = restoreStatistics(task, first, services);
    for (const [index, {alpha}] of points.entries()) {
      const between = interpolateParameters(tf, from, to, alpha);
      const flat = alpha === 0 || alpha === 1 ? between.clone() : await restore(between);
      between.dispose();
      const rows: Row[] = [];
      try {
        for (const [split, pictures] of splits)
          rows.push(evaluationRow(split, await evaluateFlat(task, flat, pictures, services)));
      } finally {
        flat.dispose();
      }
      services.progress({step: index + 1, steps: points.length, note: `alpha ${alpha}`});
      yield {index, outputs: {points: rows}};
    }
  } finally {
    tf.dispose([from, to]);
  }
}

/** Points that share everything but alpha, as indices; a walk shares its data. */
function walksOf(points: readonly Parameters[]): readonly (readonly number[])[] {
  const walks = new Map<string, number[]>();
  points.forEach(({alpha: _, ...rest}, index) => {
    const key = JSON.stringify(rest);
    walks.set(key, [...(walks.get(key) ?? []), index]);
  });
  return [...walks.values()];
}

export default defineStage({
  name: 'interpolate',
  version: 1,
  doc: 'Evaluates a point of the straight line between two networks; alpha is the weight of b, so 0 is a and 1 is b.',
  params,
  inputs: {
    a: {kind: 'weights', doc: 'The network at alpha = 0.'},
    b: {kind: 'weights', doc: 'The network at alpha = 1.'},
  },
  outputs: {
    points: {kind: 'points', doc: 'A row for each split: train (a subset), validation when there is one, test.'},
  },
  computes: 'tensors',
  noop: {precision: 'fp32'},
  sources: {data: resolveDataSet},
  async run({params: point, inputs, services}) {
    for await (const {outputs} of walk([point], inputs, services)) return outputs;
    throw new Error('Internal error: a walk over one point gave none');
  },
  async *runMany({points, inputs, services}) {
    for (const indices of walksOf(points)) {
      const chosen = indices.flatMap((index) => points[index] ?? []);
      for await (const {index, outputs} of walk(chosen, inputs, services)) yield {index: indices[index] ?? 0, outputs};
    }
  },
});
