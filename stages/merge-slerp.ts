import {z} from 'zod';
import {defineStage} from '../src/stage/define-stage.ts';
import {layerPositions} from './lib/merging/layer-position.ts';
import {mergeTensors, refuseStranger} from './lib/merging/models.ts';
import {settingAt, settingSchema} from './lib/merging/setting.ts';
import {slerp} from './lib/merging/slerp.ts';

export default defineStage({
  name: 'merge-slerp',
  version: 1,
  doc: 'A point of the arc between two networks, tensor by tensor (Shoemake 1985).',
  params: z.strictObject({
    t: settingSchema(z.number().min(0).max(1)).describe(
      'How far from a to b, 0 to 1: a number, anchors over the layers, or a list of {filter, value}.',
    ),
  }),
  inputs: {
    a: {kind: 'weights', doc: 'The network at t = 0.'},
    b: {kind: 'weights', doc: 'The network at t = 1.'},
  },
  outputs: {weights: {kind: 'weights', doc: 'The merged network.'}},
  computes: 'plain',
  async run({params: {t}, inputs: {a, b}}) {
    refuseStranger(a, b, 'b');
    const positions = layerPositions(a.tensors.map(({name}) => name));
    const weights = mergeTensors(a, ({name, values}, index) =>
      slerp(values, b.tensors[index]?.values ?? values, settingAt(t, name, positions.get(name) ?? 0)),
    );
    return {weights};
  },
});
