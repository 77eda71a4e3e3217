import {isJsonObject, type JsonObject} from '../../../src/base/json.ts';
import type {Foreseen, ForeseenInputs, Foresight} from '../../../src/stage/foresight.ts';

/** The model's configuration, which is what a plan knows of weights; of several the first that is known. */
export const knownModel = (weights: readonly Foreseen[] = []): JsonObject | undefined =>
  weights.map(({known}) => known).find((known) => isJsonObject(known));

/** Of a stage whose `weights` are a network of the architecture that its inputs have. */
export const sameModel = ({inputs}: {readonly inputs: ForeseenInputs}): Foresight => ({
  outputs: {weights: knownModel(Object.values(inputs).flat())},
});
