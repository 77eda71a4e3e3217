import {z} from 'zod';
import type {Mask, Weights} from '../../src/artifact/kinds.ts';
import type {Json} from '../../src/base/json.ts';
import type {OutputsByName, Stage} from '../../src/stage/define-stage.ts';
import {recordingServices} from '../training/services.ts';

/** Runs a stage on the cpu backend with parameters as a pipeline gives them. */
export async function runStage(stage: Stage, params: object, inputs: object): Promise<OutputsByName> {
  const json: Json = JSON.parse(JSON.stringify(params));
  return stage.run({params: json, inputs: {...inputs}, services: recordingServices().services});
}

const tensors = z.object({tensors: z.array(z.looseObject({name: z.string()}))});
const isMask = (value: unknown): value is Mask => tensors.parse(value).tensors.every((tensor) => 'bits' in tensor);
const isWeights = (value: unknown): value is Weights =>
  tensors.parse(value).tensors.every((tensor) => 'values' in tensor);

export function maskIn(outputs: OutputsByName): Mask {
  if (!isMask(outputs.mask)) throw new Error('no mask');
  return outputs.mask;
}
export function weightsIn(outputs: OutputsByName): Weights {
  if (!isWeights(outputs.weights)) throw new Error('no weights');
  return outputs.weights;
}

export const countOf = (bits: Uint8Array): number => bits.reduce((sum, bit) => sum + bit, 0);
export const keptOf = (mask: Mask): number => mask.tensors.reduce((sum, {bits}) => sum + countOf(bits), 0);
/** Places where a weight is not exactly +0 although the mask removes it. */
export const regrown = (mask: Mask, found: Weights): number =>
  mask.tensors.reduce((sum, {name, bits}) => {
    const values = found.tensors.find((tensor) => tensor.name === name)?.values ?? new Float32Array(0);
    return sum + values.filter((value, index) => bits[index] === 0 && !Object.is(value, 0)).length;
  }, 0);
