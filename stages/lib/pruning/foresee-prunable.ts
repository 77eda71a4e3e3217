import type {JsonObject} from '../../../src/base/json.ts';
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
  return {outputs: {weights: model}, note: await noteOf(model, prunable)};
}

/** By the configuration that is handed on, which all points of a sweep share: ten thousand points are one question. */
const notes = new WeakMap<JsonObject, Map<string, Promise<string>>>();

function noteOf(model: JsonObject, prunable: Prunable): Promise<string> {
  const ofModel = notes.get(model) ?? new Map<string, Promise<string>>();
  notes.set(model, ofModel);
  const choice = JSON.stringify(prunable ?? null);
  const note = ofModel.get(choice) ?? makeNote(model, prunable);
  ofModel.set(choice, note);
  return note;
}

async function makeNote(model: JsonObject, prunable: Prunable): Promise<string> {
  const {parameters} = await loadModel(model);
  const layout = layoutOf(choosePrunable(parameters, prunable));
  refuseNothingToPrune(layout);
  return namePrunable(layout);
}
