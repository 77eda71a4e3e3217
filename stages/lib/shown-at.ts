import {axisCell} from '../../src/artifact/gather.ts';
import type {JsonObject} from '../../src/base/json.ts';

const MOST_POINTS = 20;

/** What was connected as people are shown it: an input's name `a`, or its point `seed=1`. */
export const shownAt = (at: string | JsonObject): string =>
  typeof at === 'string'
    ? at
    : Object.entries(at)
        .map(([axis, value]) => `${axis}=${axisCell(value)}`)
        .join(', ');

/** Points by their names, to be said after "is at". */
export function pointsList(points: readonly JsonObject[]): string {
  const shown = points.slice(0, MOST_POINTS).map(shownAt).join(', nor at ');
  return points.length > MOST_POINTS ? `${shown}, nor at ${points.length - MOST_POINTS} more` : shown;
}
