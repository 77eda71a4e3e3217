import {axisCell} from '../../src/artifact/gather.ts';
import type {JsonObject} from '../../src/base/json.ts';

/** What was connected as people are shown it: an input's name `a`, or its point `seed=1`. */
export const shownAt = (at: string | JsonObject): string =>
  typeof at === 'string'
    ? at
    : Object.entries(at)
        .map(([axis, value]) => `${axis}=${axisCell(value)}`)
        .join(', ');
