import {suggestion} from '../../src/base/nearest.ts';
import type {Giver, ParameterProblem} from '../../src/stage/define-stage.ts';

/** A name that a parameter gives, and where. */
export type NamedAt = Omit<ParameterProblem, 'message' | 'hint'> & {readonly name: string};

/** The columns of a gathered table as they are known before anything runs; `withAxes` where the axes are columns to the stage. */
export function columnsAhead([giver]: readonly Giver[], withAxes = false) {
  const columns = Object.entries(giver?.columns ?? {});
  const axes = withAxes ? Object.entries(giver?.axes ?? {}) : [];
  const isNumber = ([, type]: readonly [string, unknown]): boolean => type === 'float64' || type === 'int32';
  return {
    all: [...axes, ...columns].map(([name]) => name),
    numbers: [...axes.filter(([, value]) => typeof value === 'number'), ...columns.filter(isNumber)].map(
      ([name]) => name,
    ),
  };
}

/** Of names that should be among the known ones, those that are not, each with the nearest. */
export const unknownNames = (
  names: readonly NamedAt[],
  known: readonly string[],
  what: string,
  message: (name: string) => string,
): readonly ParameterProblem[] =>
  names.flatMap(({name, ...at}) =>
    known.includes(name) ? [] : [{...at, message: message(name), hint: suggestion(name, known, what)}],
  );
