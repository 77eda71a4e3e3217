import {z} from 'zod';
import type {Row} from '../src/artifact/kinds.ts';
import {defineStage} from '../src/stage/define-stage.ts';
import {endsOf, riseOf} from './lib/barrier.ts';
import {bootstrap} from './lib/bootstrap.ts';
import {foreseeLine} from './lib/foresee-line.ts';
import {type LineExamples, lineExamples} from './lib/line-examples.ts';
import {abortableBreather} from './lib/training/breather.ts';

const MEASURES = ['error_instability', 'error_barrier_linear', 'loss_barrier', 'loss_barrier_linear'] as const;

/** The measures, in their order, of a line's errors [alphas] followed by its losses [alphas]. */
function measuresOf({alphas, axis}: LineExamples): (means: Float64Array) => readonly number[] {
  const ends = endsOf(alphas, axis);
  return (means) => {
    const error = riseOf(alphas, means.subarray(0, alphas.length), ends);
    const loss = riseOf(alphas, means.subarray(alphas.length), ends);
    return [error.barrier, error.linear, loss.barrier, loss.linear];
  };
}

/** [n, 2 · alphas] in C order: each picture's error at each alpha, 0 or 100 %, then its losses. */
function byPicture({alphas, n, wrong, loss}: LineExamples): Float64Array {
  const width = 2 * alphas.length;
  const values = new Float64Array(n * width);
  for (let picture = 0; picture < n; picture++) {
    alphas.forEach((_, place) => {
      values[picture * width + place] = 100 * (wrong[place]?.[picture] ?? 0);
      values[picture * width + alphas.length + place] = loss[place]?.[picture] ?? 0;
    });
  }
  return values;
}

/** How differently the two ends treat the same pictures. */
function endsRow({split, axis, alphas, n, predicted, wrong, loss}: LineExamples) {
  const {a, b} = endsOf(alphas, axis);
  const percent = (count: number): number => (100 * count) / n;
  const errors = (place: number): number => wrong[place]?.reduce((sum, bit) => sum + bit, 0) ?? 0;
  const disagreements =
    predicted[a]?.reduce((sum, own, index) => sum + (own === predicted[b]?.[index] ? 0 : 1), 0) ?? 0;
  const squares = loss[a]?.reduce((sum, own, index) => sum + (own - (loss[b]?.[index] ?? 0)) ** 2, 0) ?? 0;
  return {
    split,
    error_a: percent(errors(a)),
    error_b: percent(errors(b)),
    disagreements,
    disagreement: percent(disagreements),
    loss_distance: Math.sqrt(squares),
    n,
  };
}

export default defineStage({
  name: 'instability',
  version: 1,
  doc: 'The barriers of a line with bootstrap intervals over its pictures, and how differently its two ends treat them.',
  params: z.strictObject({
    replicates: z.int().min(1).max(100_000).default(1000).describe('Bootstrap resamples of the pictures.'),
    confidence: z.number().gt(0).lt(1).default(0.95).describe('The fraction of resamples that the interval holds.'),
    seed: z.int().min(0).default(0).describe('Decides the resamples.'),
  }),
  inputs: {
    examples: {
      kind: 'examples',
      doc: 'Those of the points of a line, from interpolate with `examples: true`; needs its two ends.',
      many: {over: ['alpha']},
    },
  },
  outputs: {
    summary: {
      kind: 'summary',
      doc: 'A row for each split and measure, named as in barrier: its value, and the ends of its interval.',
      apart: ['measure'],
      columns: {
        split: 'utf8',
        measure: 'utf8',
        value: 'float64',
        low: 'float64',
        high: 'float64',
        n: 'int32',
        points: 'int32',
        replicates: 'int32',
      },
    },
    ends: {
      kind: 'summary',
      doc: 'A row for each split: pictures that the two ends classify differently, as a count and in percent, and the L2 distance of their losses picture by picture.',
      columns: {
        split: 'utf8',
        error_a: 'float64',
        error_b: 'float64',
        disagreements: 'int32',
        disagreement: 'float64',
        loss_distance: 'float64',
        n: 'int32',
      },
    },
  },
  computes: 'plain',
  foresee: ({inputs}) => foreseeLine(inputs.examples, 'examples'),
  async run({params, inputs, services}) {
    const lines = lineExamples(inputs.examples);
    const summary: Row[] = [];
    for (const line of lines) {
      const {split, n, alphas} = line;
      const pause = abortableBreather(services.signal);
      const estimates = await bootstrap(byPicture(line), 2 * alphas.length, params, measuresOf(line), pause);
      MEASURES.forEach((measure, index) => {
        const estimate = estimates[index];
        if (!estimate) throw new Error(`Internal error: no estimate of ${measure}`);
        summary.push({split, measure, ...estimate, n, points: alphas.length, replicates: params.replicates});
      });
    }
    return {summary, ends: lines.map(endsRow)};
  },
});
