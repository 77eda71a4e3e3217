import type {NamedTensor, Weights} from '../../src/artifact/kinds.ts';
import type {Json} from '../../src/base/json.ts';
import {registry} from '../../src/cli/registry.ts';
import {recordingServices} from '../training/services.ts';

/** A network of these tensors, each a vector, that nothing evaluates. */
export const networkOf = (tensors: Readonly<Record<string, readonly number[]>>): Weights => ({
  model: {model: 'any'},
  preprocessor: {},
  tensors: Object.entries(tensors)
    .map(([name, values]): NamedTensor => ({name, shape: [values.length], values: Float32Array.from(values)}))
    .sort((a, b) => (a.name < b.name ? -1 : 1)),
});

/** A network of one tensor. */
export const vector = (values: readonly number[]): Weights => networkOf({w: values});

/** Networks as a stage gets those that it gathers over the axis `seed`. */
export const gathered = (...networks: readonly Weights[]) =>
  networks.map((value, index) => ({axes: {seed: index + 1}, value}));

const isWeights = (value: unknown): value is Weights =>
  typeof value === 'object' && value !== null && 'tensors' in value;

/** What a stage makes of networks, by tensor. */
export async function merge(name: string, params: Json, inputs: object): Promise<Record<string, number[]>> {
  const stage = registry.get(name);
  if (!stage) throw new Error(`There is no stage ${name}`);
  const {weights} = await stage.run({
    params,
    inputs: {...inputs},
    services: recordingServices().services,
  });
  if (!isWeights(weights)) throw new Error(`${name} gave no weights`);
  return Object.fromEntries(weights.tensors.map((tensor) => [tensor.name, [...tensor.values]]));
}

/** What a stage makes of networks of one tensor. */
export const mergeVectors = async (name: string, params: Json, inputs: object): Promise<number[]> =>
  (await merge(name, params, inputs)).w ?? [];
