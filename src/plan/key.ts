import {canonicalJson} from '../base/canonical-json.ts';
import {type Key, keyOf} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';
import type {Binding, Instance} from '../graph/graph.ts';
import type {OutputRecord} from '../store/record.ts';

/**
 * The one maker of keys: what decides an instance's outputs, in the clear, and its digest. Raised when anything below changes;
 * every stage then runs again.
 */
const KEY_FORMAT = 1;

/** As much of an instance as its key holds; of the parameters, what stands for them in a key. */
export interface Identified {
  readonly instance: Pick<Instance, 'stage' | 'inputs'>;
  readonly identity: JsonObject;
}

/** The output of the instance at this index of the graph, once it is finished. */
export type OutputsOf = (index: number, artifact: string) => OutputRecord;

/**
 * What the key of an instance is the digest of, once everything upstream is finished: upstream content and not upstream keys, so
 * that what reran to the same bytes changes nothing below. Axis names are in it only where an input gathers them.
 *
 * @param numerics of the set-up; in the preimage of stages that compute with tensors, and only there, so the others can do
 * without.
 */
export function preimageOf(
  {instance, identity}: Identified,
  outputsOf: OutputsOf,
  numerics: string | undefined,
): JsonObject {
  if (numerics === undefined && instance.stage.computes === 'tensors')
    throw new Error(`Internal error: a key of ${instance.stage.name} was asked for before there is a backend`);
  const inputs = Object.entries(instance.inputs).map(([name, binding]) => [name, inputPart(binding, outputsOf)]);
  return {...staticPreimage({instance, identity}, numerics), inputs: Object.fromEntries(inputs)};
}

/** The part of the preimage that is known before upstream has run. */
export function staticPreimage({instance: {stage}, identity}: Identified, numerics: string | undefined): JsonObject {
  return {
    format: KEY_FORMAT,
    stage: stage.name,
    version: stage.version,
    params: identity,
    ...(stage.computes === 'tensors' && numerics !== undefined && {numerics}),
  };
}

function inputPart(binding: Binding, outputsOf: OutputsOf): JsonObject | readonly JsonObject[] {
  if (!binding.many) {
    const {digest, kind} = outputsOf(binding.from, binding.artifact);
    return {digest, kind};
  }
  return binding.members.map(({axes, from, artifact}) => ({axes, digest: outputsOf(from, artifact).digest}));
}

export const keyOfPreimage = (preimage: JsonObject): Key => keyOf(canonicalJson(preimage));
