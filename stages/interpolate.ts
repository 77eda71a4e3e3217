import type {Tensor1D} from '@tensorflow/tfjs';
import {z} from 'zod';
import type {Mask, Row, Weights} from '../src/artifact/kinds.ts';
import {defineStage, type StageServices} from '../src/stage/define-stage.ts';
import {dataSetSchema} from './lib/data/data-set-value.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {type Example, evaluationRow} from './lib/evaluate.ts';
import {evaluatedSplits, LINE_ENDS, refuseStrangers} from './lib/line.ts';
import {precisionSchema} from './lib/precision.ts';
import {bitsOf, masked} from './lib/pruning/masks.ts';
import {restoreStatistics, statisticsSchema} from './lib/training/line-statistics.ts';
import {pack} from './lib/training/parameter-layout.ts';
import {bindTask, evaluateFlat} from './lib/training/task.ts';
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
  statistics: statisticsSchema,
  examples: z
    .boolean()
    .default(false)
    .describe('Gives `examples` too: label, prediction and loss of every picture, for `instability`.'),
});

type Parameters = z.output<typeof params>;
type Outputs = {readonly points: readonly Row[]; readonly examples: readonly Row[] | undefined};
type Point = {readonly index: number; readonly outputs: Outputs};

async function* walk(
  points: readonly Parameters[],
  {a, b, mask}: {readonly a: Weights; readonly b: Weights; readonly mask: Mask | undefined},
  services: StageServices,
): AsyncGenerator<Point> {
  const [first] = points;
  if (!first) return;
  const {tf} = services;
  refuseStrangers(a, b);
  const task = await bindTask(a, first, services);
  const from = tf.tensor1d(task.start);
  const to = tf.tensor1d(pack(task.layout, b.tensors));
  const kept = mask && tf.tensor1d(bitsOf(task.layout, mask), 'bool');
  const splits = evaluatedSplits(task, first.train);
  try {
    const restore = restoreStatistics(task, first.statistics, services);
    for (const [index, {alpha}] of points.entries()) {
      const mixed = interpolateParameters(tf, from, to, alpha);
      const point = kept ? masked(tf, kept, mixed) : mixed.clone();
      mixed.dispose();
      // the ends are the networks themselves, unless a mask is on them
      const flat = !kept && (alpha === 0 || alpha === 1) ? point.clone() : await restore(point);
      point.dispose();
      const rows: Row[] = [];
      const examples: Row[] | undefined = first.examples ? [] : undefined;
      try {
        for (const [split, pictures] of splits) {
          const note = examples && ((example: Example): void => void examples.push({split, ...example}));
          rows.push(evaluationRow(split, await evaluateFlat(task, flat, pictures, services, note)));
        }
      } finally {
        flat.dispose();
      }
      services.progress({step: index + 1, steps: points.length, note: `alpha ${alpha}`});
      yield {index, outputs: {points: rows, examples}};
    }
  } finally {
    tf.dispose(kept ? [from, to, kept] : [from, to]);
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
    ...LINE_ENDS,
    mask: {
      kind: 'mask',
      optional: true,
      doc: 'Put on every point, the ends too; tensors it does not name are kept whole.',
    },
  },
  outputs: {
    points: {kind: 'points', doc: 'A row for each split: train (a subset), validation when there is one, test.'},
    examples: {kind: 'examples', when: 'examples', doc: 'A row for each picture of each split; with `examples: true`.'},
  },
  computes: 'tensors',
  noop: {precision: 'fp32', examples: false},
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
