import {z} from 'zod';
import type {NamedTensor, Weights} from '../../../src/artifact/kinds.ts';
import type {JsonObject} from '../../../src/base/json.ts';
import {type Opened, StageError} from '../../../src/stage/define-stage.ts';
import {networkDifference} from '../network-difference.ts';
import {shownAt} from '../shown-at.ts';
import {layerPositions} from './layer-position.ts';
import {asStatistic, type MergedStatistics, mergedStatistics} from './running-statistics.ts';

const NAMED = ['a', 'b', 'c', 'd'] as const;

const single = {kind: 'weights', doc: 'A network to merge, besides `weights`.', optional: true} as const;

/** Inputs of a stage that merges any number of networks. */
export const MODEL_INPUTS = {
  weights: {
    kind: 'weights',
    doc: 'The networks to merge, all points of a node.',
    many: {over: 'all'},
    opens: true,
    optional: true,
  },
  a: single,
  b: single,
  c: single,
  d: single,
} as const;

export const BASE_INPUT = {kind: 'weights', doc: 'The network that all of them were trained from.'} as const;

/** Which network an entry of `models` means: the name of its input, or its point on the axes that are gathered over. */
export const atSchema = z.union([
  z.enum(NAMED),
  z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
]);
export type At = z.output<typeof atSchema>;

/** One of the networks that are merged. */
export interface MergedModel {
  readonly at: string | JsonObject;
  readonly weights: Weights;
}

type ModelInputs = {readonly [K in (typeof NAMED)[number]]: Weights | undefined} & {
  readonly weights: readonly Opened<'weights'>[] | undefined;
};

/**
 * The networks that are connected: the named inputs, then the gathered ones by axis value.
 *
 * @param fewest how many the method needs.
 * @throws StageError when there are fewer, or when they are not networks of one kind.
 */
export function modelsOf(inputs: ModelInputs, base?: Weights, fewest = 1): readonly MergedModel[] {
  const named = NAMED.flatMap((at) => (inputs[at] ? [{at, weights: inputs[at]}] : []));
  const models = [...named, ...(inputs.weights ?? []).map(({axes, value}) => ({at: axes, weights: value}))];
  if (models.length < fewest) {
    const found = models.length === 0 ? 'none is connected' : `only ${models.length} is connected`;
    throw new StageError(
      `This way of merging needs at least ${fewest === 1 ? 'one network' : `${fewest} networks`}, and ${found}.`,
      'Connect `weights` to a node that is swept, or `a`, `b`, `c`, `d` to one network each.',
    );
  }
  const [first] = models;
  const reference = base ?? first?.weights;
  for (const {at, weights} of models) {
    if (reference) refuseStranger(reference, weights, shownAt(at));
  }
  return models;
}

/** @throws StageError when a network cannot be merged with the one that all are held to. */
export function refuseStranger(reference: Weights, other: Weights, name: string): void {
  const difference = networkDifference(reference, other);
  if (difference === undefined) return;
  throw new StageError(
    `The network ${name} differs from the others in its ${difference}, so it cannot be merged with them.`,
    'Merge networks that were trained from one pretrain-load.',
  );
}

/**
 * A network made tensor by tensor out of others; `make` is given the tensor's place in each of them, and the depth of its layer, 0 to 1.
 *
 * @throws StageError when the networks have running statistics and nothing is said of them.
 */
export function mergeTensors(
  like: Weights,
  statistics: MergedStatistics,
  make: (tensor: NamedTensor, index: number, position: number) => Float32Array,
): Weights {
  const {model, preprocessor, tensors} = like;
  const running = mergedStatistics(like, statistics);
  const positions = layerPositions(tensors.map(({name}) => name));
  const merged = tensors.map((tensor, index): NamedTensor => {
    const {name, shape} = tensor;
    const values = make(tensor, index, positions.get(name) ?? 0);
    return {name, shape, values: running.has(name) ? asStatistic(name, values) : values};
  });
  return {model, preprocessor, tensors: merged};
}
