import type {Weights} from '../../src/artifact/kinds.ts';
import {canonicalJson} from '../../src/base/canonical-json.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {sameShape} from './training/parameter-layout.ts';

/** Names of classes change no number: two networks can be mixed of which one has none, but not where they name other classes. */
function sameModel({class_names: names, ...one}: JsonObject, {class_names: others, ...other}: JsonObject): boolean {
  const contradict = names && others && canonicalJson(names) !== canonicalJson(others);
  return !contradict && canonicalJson(one) === canonicalJson(other);
}

/**
 * In what two networks differ besides their numbers, so that these cannot be mixed: they need one configuration, the same view of pictures and
 * the same tensors in one order. Nothing when they can be.
 */
export function networkDifference(one: Weights, other: Weights): 'model' | 'preprocessor' | 'tensors' | undefined {
  if (!sameModel(one.model, other.model)) return 'model';
  if (canonicalJson(one.preprocessor) !== canonicalJson(other.preprocessor)) return 'preprocessor';
  const same =
    one.tensors.length === other.tensors.length &&
    one.tensors.every(({name, shape}, index) => {
      const tensor = other.tensors[index];
      return name === tensor?.name && sameShape(shape, tensor.shape);
    });
  return same ? undefined : 'tensors';
}
