import {z} from 'zod';
import type {Row} from '../src/artifact/kinds.ts';
import {defineStage} from '../src/stage/define-stage.ts';
import {BARRIER_COLUMNS, barrierRows} from './lib/barrier.ts';
import {foreseeLine} from './lib/foresee-line.ts';

export default defineStage({
  name: 'barrier',
  version: 1,
  doc: 'How far loss and error rise on the line between two networks, by both definitions in use, one row a split.',
  params: z.strictObject({}),
  inputs: {
    points: {kind: 'points', doc: 'The points of the line; needs its two ends.', many: {over: ['alpha']}},
  },
  outputs: {
    summary: {
      kind: 'summary',
      doc: 'error_instability (percentage points) and loss_barrier measure from the mean of the ends (Frankle et al. 2020), the _linear ones from the straight line between them (Entezari et al. 2022); loss_ratio is the largest loss by the mean loss of the ends; midpoint says whether 0.5 is among the points.',
      columns: BARRIER_COLUMNS,
    },
  },
  computes: 'plain',
  foresee: ({inputs}) => foreseeLine(inputs.points, 'points'),
  async run({inputs, services}) {
    const summary: readonly Row[] = barrierRows(inputs.points);
    if (summary.some(({midpoint}) => midpoint === false))
      services.log(
        '0.5 is not among the points, and barriers are often highest there: an odd number of even steps has it.',
      );
    return {summary};
  },
});
