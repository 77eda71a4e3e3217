import type {ForeseenInputs, Foresight} from '../../../src/stage/foresight.ts';
import {knownModel} from '../models/known-model.ts';
import {loadModel} from '../models/registry.ts';
import {layoutOf} from '../training/parameter-layout.ts';
import {choosePrunable, namePrunable, type Prunable, refuseNothingToPrune} from './prunable.ts';

interface Ahead {
  readonly params: {readonly prunable?: Prunable};
  readonly inputs: ForeseenInputs;
}

/** Of a stage that prunes: how many weights it may take, of how many and of which tensors, where the model is known. */
export async function foreseePrunable({params: {prunable}, inputs: {weights}}: Ahead): Promise<Foresight> {
  const model = knownModel(weights);
  if (!model) return {};
  const {parameters} = await loadModel(model);
  const layout = layoutOf(choosePrunable(parameters, prunable));
  refuseNothingToPrune(layout);
  return {outputs: {weights: model}, note: namePrunable(layout)};
}
