import type {Foreseen, Foresight} from '../../src/stage/foresight.ts';
import {endsOf, oneAxis} from './barrier.ts';

/**
 * Of a stage that measures a gathered line: a warning where 0.5 is not among the points, since barriers are often highest there.
 *
 * @throws StageError as the stage would: when the points are no line with both ends.
 */
export function foreseeLine(points: readonly Foreseen[] = [], kind: 'points' | 'examples'): Foresight {
  const [first] = points;
  if (!first) return {};
  const axis = oneAxis(Object.keys(first.axes), kind);
  const alphas = points.flatMap(({axes}) => (typeof axes[axis] === 'number' ? [axes[axis]] : []));
  if (alphas.length < points.length) return {};
  endsOf(alphas, axis);
  if (alphas.includes(0.5)) return {};
  const odd = alphas.length + 1 - (alphas.length % 2);
  return {
    warning: {
      code: 'no-midpoint',
      message: `0.5 is not among the ${alphas.length} values of ${axis}, and barriers are often highest there.`,
      hint: `Add 0.5; of even steps an odd number has it, as in {linspace: [0, 1, ${odd}]}.`,
    },
  };
}
