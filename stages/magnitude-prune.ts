import {defineStage} from '../src/stage/define-stage.ts';
import {loadModel} from './lib/models/registry.ts';
import {foreseePrunable} from './lib/pruning/foresee-prunable.ts';
import {magnitudeRules} from './lib/pruning/magnitude-rule.ts';
import {bitsOf, KEPT_COLUMNS, keptFractions} from './lib/pruning/masks.ts';
import {bitsBefore, nextMask} from './lib/pruning/next-mask.ts';
import {choosePrunable, describePrunable, prunableSchema} from './lib/pruning/prunable.ts';
import {layoutOf, pack} from './lib/training/parameter-layout.ts';

export default defineStage({
  name: 'magnitude-prune',
  version: 1,
  doc: 'A mask without the smallest weights of a network: one round of magnitude pruning, or all of it at once.',
  params: magnitudeRules({prunable: prunableSchema}),
  inputs: {
    weights: {kind: 'weights', doc: 'The network whose weights are compared.'},
    mask: {kind: 'mask', doc: 'What earlier rounds have left; everything, when not connected.', optional: true},
  },
  outputs: {
    mask: {kind: 'mask', doc: 'What this round leaves.'},
    summary: {
      kind: 'summary',
      doc: 'How many weights can be pruned, and which fraction of them and of all parameters is left.',
      columns: {prunable: 'int32', ...KEPT_COLUMNS},
    },
  },
  computes: 'plain',
  foresee: foreseePrunable,
  async run({params, inputs, services}) {
    const {parameters} = await loadModel(inputs.weights.model);
    const layout = layoutOf(choosePrunable(parameters, params.prunable));
    services.log(describePrunable(layout));
    const flat = pack(layout, inputs.weights.tensors);
    const mask = nextMask(layout, flat, bitsBefore(layout, inputs.mask), params);
    return {mask, summary: [{prunable: layout.prunable, ...keptFractions(layout, bitsOf(layout, mask))}]};
  },
});
