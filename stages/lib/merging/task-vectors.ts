import {z} from 'zod';
import type {Weights} from '../../../src/artifact/kinds.ts';
import {type Combination, combine} from './combine.ts';
import {type MergedModel, mergeTensors} from './models.ts';
import type {MergedStatistics} from './running-statistics.ts';
import {type Setting, settingAt} from './setting.ts';
import {deltaOf} from './thin.ts';

/** Parameters of what is done with the changes of all networks. */
export const lambdaSchema = z
  .number()
  .min(-1000)
  .max(1000)
  .default(1)
  .describe('λ: the merged change is multiplied by it.');

/** A tensor's changes in one network. */
export interface Change {
  readonly delta: Float64Array;
  readonly name: string;
  /** Place of the tensor among the network's. */
  readonly tensor: number;
  /** Place of the network among those that are merged. */
  readonly model: number;
  /** Depth of its layer, from 0 to 1. */
  readonly position: number;
}

/** How changes are put together, each network's weight being a setting. */
interface Rule extends Omit<Combination, 'weights'> {
  readonly weights: readonly Setting[];
  readonly statistics: MergedStatistics;
}

/** The base with the changes of all networks, tensor by tensor; `thin` says what is left of each change. */
export function mergeTaskVectors(
  base: Weights,
  models: readonly MergedModel[],
  {weights, statistics, ...rule}: Rule,
  thin: (change: Change) => Float64Array,
): Weights {
  return mergeTensors(base, statistics, ({name, values}, tensor, position) => {
    const deltas = models.map(({weights: {tensors}}, model) =>
      thin({delta: deltaOf(tensors[tensor]?.values ?? values, values), name, tensor, model, position}),
    );
    return combine(values, deltas, {...rule, weights: weights.map((setting) => settingAt(setting, name, position))});
  });
}
