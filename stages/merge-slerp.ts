import {z} from 'zod';
import {defineStage} from '../src/stage/define-stage.ts';
import {mergeTensors, refuseStranger} from './lib/merging/models.ts';
import {mergedStatisticsSchema} from './lib/merging/running-statistics.ts';
import {isComplete, settingAt, settingSchema} from './lib/merging/setting.ts';
import {slerp} from './lib/merging/slerp.ts';
import {sameModel} from './lib/models/known-model.ts';

export default defineStage({
  name: 'merge-slerp',
  version: 1,
  doc: 'A point of the arc between two networks, tensor by tensor (Shoemake 1985).',
  params: z.strictObject({
    t: settingSchema(z.number().min(0).max(1))
      .refine(isComplete, {error: 'The last entry has no filter, so that every tensor has a t.'})
      .describe('How far from a to b, 0 to 1: a number, anchors over the layers, or a list of {filter, value}.'),
    statistics: mergedStatisticsSchema,
  }),
  inputs: {
    a: {kind: 'weights', doc: 'The network at t = 0.'},
    b: {kind: 'weights', doc: 'The network at t = 1.'},
  },
  outputs: {weights: {kind: 'weights', doc: 'The merged network.'}},
  computes: 'plain',
  foresee: sameModel,
  async run({params: {t, statistics}, inputs: {a, b}}) {
    refuseStranger(a, b, 'b');
    const weights = mergeTensors(a, statistics, ({name, values}, index, position) =>
      slerp(values, b.tensors[index]?.values ?? values, settingAt(t, name, position)),
    );
    return {weights};
  },
});
