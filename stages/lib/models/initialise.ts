import type {NamedTensor} from '../../../src/artifact/kinds.ts';
import {digestOf} from '../../../src/base/digest.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {fillNormal, fillUniform} from '../random/normal.ts';
import type {Model, ParameterShape} from './model.ts';

const DEFAULT_SCALE = 0.02;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

function memoryFor({name, shape}: ParameterShape): Float32Array {
  try {
    return new Float32Array(sizeOf(shape));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new StageError(
      `There is no memory for the parameter ${name}, ${shape.join(' × ')} numbers of four bytes.`,
      'Make the network smaller, or run it where there is more.',
      {cause: error},
    );
  }
}

/** Values belong to (seed, stream, tensor name, index), so a tensor more or less moves no other. */
function startingValues(parameter: ParameterShape, seed: number, stream: 'initialise' | 'head'): NamedTensor {
  const {name, shape, init, scale = DEFAULT_SCALE} = parameter;
  const values = memoryFor(parameter);
  const digest = digestOf(name);
  const place = {
    seed,
    stream,
    epoch: Number.parseInt(digest.slice(0, 8), 16),
    sample: Number.parseInt(digest.slice(8, 16), 16),
  };
  switch (init) {
    case 'normal':
      fillNormal(values, place, scale);
      break;
    case 'uniform':
      fillUniform(values, place, scale);
      break;
    case 'unit':
      fillUniform(values, place, 0.5);
      values.forEach((value, index) => {
        values[index] = value + 0.5;
      });
      break;
    case 'ones':
      values.fill(1);
      break;
    case 'zeros':
      break;
  }
  return {name, shape, values};
}

/** Random weights of every parameter, sorted by name. `seed` is a non-negative integer below 2^53. */
export function initialise(model: Model, seed: number): NamedTensor[] {
  return model.parameters.map((parameter) => startingValues(parameter, seed, 'initialise'));
}

/** Random weights of the classifier alone, from a stream of their own: they are equal for any body under one seed. */
export function initialiseHead(model: Model, seed: number): NamedTensor[] {
  return model.parameters.filter(({head}) => head).map((parameter) => startingValues(parameter, seed, 'head'));
}
