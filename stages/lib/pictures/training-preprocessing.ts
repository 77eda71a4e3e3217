import type {Augmentation} from './augment-schema.ts';
import {normalizedLevels} from './normalize.ts';
import type {Preprocessing} from './preprocessor.ts';

/** What two float32 ways to the same numbers may differ by. */
const ROUNDING = 1e-4;

/**
 * The preprocessing of training pictures: the weights' own, with the numbers of `normalize` where the list ends with it. `note`
 * is told when pictures are evaluated with other numbers.
 */
export function trainingPreprocessing(
  preprocessing: Preprocessing,
  augment: Augmentation,
  note: (text: string) => void,
): Preprocessing {
  const last = augment.at(-1);
  if (last === undefined || !('normalize' in last)) return preprocessing;
  const table = normalizedLevels(last.normalize, preprocessing.channels);
  if (table.some((value, place) => Math.abs(value - (preprocessing.table[place] ?? 0)) > ROUNDING)) {
    note(
      "`normalize` differs from the weights' preprocessor, by which pictures are evaluated: give the preprocessor its numbers.",
    );
  }
  return {...preprocessing, table};
}
