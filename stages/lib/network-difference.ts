import type {Weights} from '../../src/artifact/kinds.ts';
import {canonicalJson} from '../../src/base/canonical-json.ts';
import {sameShape} from './training/parameter-layout.ts';

/**
 * In what two networks differ besides their numbers, so that these cannot be mixed: they need one configuration, the same view of pictures and
 * the same tensors in one order. Nothing when they can be.
 */
export function networkDifference(one: Weights, other: Weights): 'model' | 'preprocessor' | 'tensors' | undefined {
  for (const field of ['model', 'preprocessor'] as const) {
    if (canonicalJson(one[field]) !== canonicalJson(other[field])) return field;
  }
  const same =
    one.tensors.length === other.tensors.length &&
    one.tensors.every(({name, shape}, index) => {
      const tensor = other.tensors[index];
      return name === tensor?.name && sameShape(shape, tensor.shape);
    });
  return same ? undefined : 'tensors';
}
