import type {Weights} from '../../src/artifact/kinds.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {subset} from './data/load-data-set.ts';
import type {Pictures} from './data/pictures.ts';
import {networkDifference} from './network-difference.ts';
import type {Task} from './training/task.ts';

/** The inputs of a stage that goes from one network to another. */
export const LINE_ENDS = {
  a: {kind: 'weights', doc: 'The network at alpha = 0.'},
  b: {kind: 'weights', doc: 'The network at alpha = 1.'},
} as const;

/** @throws StageError when no line leads from one network to the other. */
export function refuseStrangers(a: Weights, b: Weights): void {
  const difference = networkDifference(a, b);
  if (difference === undefined) return;
  throw new StageError(
    `a and b differ in their ${difference}, so there is no line between them.`,
    'Interpolate between two networks of one pretrain-load.',
  );
}

/** What a line is evaluated on: `train` training pictures, drawn once and the same for all points; validation when there is one; test. */
export function evaluatedSplits({data}: Task, train: number): readonly (readonly [string, Pictures])[] {
  return [
    ...(train > 0 ? ([['train', subset(data.train, train, 0)]] as const) : []),
    ...(data.validation ? ([['validation', data.validation]] as const) : []),
    ['test', data.test],
  ];
}
