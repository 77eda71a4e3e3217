import type {Weights} from '../../src/artifact/kinds.ts';
import {canonicalJson} from '../../src/base/canonical-json.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {subset} from './data/load-data-set.ts';
import type {Pictures} from './data/pictures.ts';
import type {Task} from './training/task.ts';

/** Two networks can be mixed when they have one configuration and read pictures alike. */
export function refuseStrangers(a: Weights, b: Weights): void {
  for (const field of ['model', 'preprocessor'] as const) {
    if (canonicalJson(a[field]) !== canonicalJson(b[field])) {
      throw new StageError(
        `a and b differ in their ${field}, so there is no line between them.`,
        'Interpolate between two networks of one pretrain-load.',
      );
    }
  }
}

/** What a line is evaluated on: `train` training pictures, drawn once and the same for all points; validation when there is one; test. */
export function evaluatedSplits({data}: Task, train: number): readonly (readonly [string, Pictures])[] {
  return [
    ...(train > 0 ? ([['train', subset(data.train, train, 0)]] as const) : []),
    ...(data.validation ? ([['validation', data.validation]] as const) : []),
    ['test', data.test],
  ];
}
