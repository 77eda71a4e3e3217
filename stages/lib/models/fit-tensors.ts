import type {NamedTensor} from '../../../src/artifact/kinds.ts';
import {nearestName} from '../../../src/base/nearest.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {allFinite} from '../all-finite.ts';
import type {ParameterShape} from './model.ts';

const SHOWN = 6;

const list = (what: string, items: readonly string[]): string[] => {
  if (items.length === 0) return [];
  const more = items.length > SHOWN ? ` and ${items.length - SHOWN} more` : '';
  return [`${what}: ${items.slice(0, SHOWN).join(', ')}${more}`];
};

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((extent, axis) => extent === b[axis]);

/**
 * The tensors of exactly these parameters, in their order.
 *
 * @throws StageError that lists what is missing, not known, of another shape, or not a finite number.
 */
export function fitTensors(
  parameters: readonly ParameterShape[],
  tensors: ReadonlyMap<string, NamedTensor>,
  source: string,
): NamedTensor[] {
  const known = new Set(parameters.map(({name}) => name));
  const pairs = parameters.map((parameter) => ({parameter, tensor: tensors.get(parameter.name)}));
  const found = pairs.flatMap(({tensor}) => (tensor === undefined ? [] : [tensor]));
  const missing = pairs.flatMap(({parameter, tensor}) => (tensor === undefined ? [parameter.name] : []));
  const unknown = [...tensors.keys()].filter((name) => !known.has(name));
  const guessed = unknown.slice(0, SHOWN).map((name) => {
    const near = nearestName(name, missing);
    return near === undefined ? name : `${name} (is it ${near}?)`;
  });
  const faults = [
    ...list('missing', missing),
    ...list('not known', [...guessed, ...unknown.slice(SHOWN)]),
    ...list(
      'of another shape',
      pairs.flatMap(({parameter: {name, shape}, tensor}) =>
        tensor === undefined || sameShape(tensor.shape, shape)
          ? []
          : [`${name} is [${tensor.shape}] and should be [${shape}]`],
      ),
    ),
    ...list(
      'with NaN or infinite values',
      found.filter(({values}) => !allFinite(values)).map(({name}) => name),
    ),
  ];
  if (faults.length > 0) {
    throw new StageError(
      `The tensors of ${source} do not fit its configuration; ${faults.join('; ')}.`,
      'Weights and configuration must come from the same model; a classifier is made anew when `labels` is given.',
    );
  }
  return found;
}
