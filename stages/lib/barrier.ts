import {BASE_COLUMNS, type Row} from '../../src/artifact/kinds.ts';
import {StageError} from '../../src/stage/define-stage.ts';

export const BARRIER_COLUMNS = {
  split: 'utf8',
  error_instability: 'float64',
  loss_ratio: 'float64',
  alpha_at_max_loss: 'float64',
  alpha_at_max_error: 'float64',
  loss_barrier: 'float64',
  loss_barrier_linear: 'float64',
  error_barrier_linear: 'float64',
  error_a: 'float64',
  error_b: 'float64',
  loss_a: 'float64',
  loss_b: 'float64',
  points: 'int32',
  midpoint: 'bool',
} as const;

/** One point of a line on one split. */
interface Point {
  readonly alpha: number;
  readonly loss: number;
  readonly error: number;
}

/**
 * The barrier of each split of gathered points, in order of first appearance. The gathered axis, whatever its name,
 * is the weight of b and must hold 0 and 1.
 *
 * @throws StageError when the points are not a line with both ends.
 */
export function barrierRows(rows: readonly Row[]): Row[] {
  const axis = axisOf(rows, 'points');
  const splits = new Map<string, Point[]>();
  for (const row of rows) {
    const split = String(row.split);
    const point = {alpha: numberIn(row, axis), loss: numberIn(row, 'loss'), error: numberIn(row, 'error')};
    splits.set(split, [...(splits.get(split) ?? []), point]);
  }
  return [...splits].map(([split, points]) => ({split, ...barrierOf(points, axis)}));
}

/** Where the ends of a line are among its alphas; a StageError when one is missing. */
export function endsOf(alphas: readonly number[], axis: string): {readonly a: number; readonly b: number} {
  const [a, b] = [alphas.indexOf(0), alphas.indexOf(1)];
  if (a >= 0 && b >= 0) return {a, b};
  throw new StageError(
    `A barrier is measured from both ends of the line, and the points have no ${axis} = ${a >= 0 ? 1 : 0}.`,
    `Put 0 and 1 among the values of ${axis}, as in {linspace: [0, 1, 25]}.`,
  );
}

/** How far a quantity rises on a line. */
interface Rise {
  /** Of the two ends. */
  readonly mean: number;
  /** Index of the largest value, the first of equal ones. */
  readonly top: number;
  /** From the mean of the ends (Frankle et al. 2020). */
  readonly barrier: number;
  /** From the straight line between the ends (Entezari et al. 2022). */
  readonly linear: number;
}

/** By both definitions, of values at `alphas`, of which those at places a and b are 0 and 1. */
export function riseOf(
  alphas: readonly number[],
  values: ArrayLike<number>,
  {a, b}: {readonly a: number; readonly b: number},
): Rise {
  const at = (place: number): number => values[place] ?? Number.NaN;
  const mean = (at(a) + at(b)) / 2;
  let top = 0;
  let linear = Number.NEGATIVE_INFINITY;
  alphas.forEach((alpha, place) => {
    if (at(place) > at(top)) top = place;
    linear = Math.max(linear, at(place) - ((1 - alpha) * at(a) + alpha * at(b)));
  });
  return {mean, top, barrier: at(top) - mean, linear};
}

function barrierOf(points: readonly Point[], axis: string): Row {
  const alphas = points.map(({alpha}) => alpha);
  const ends = endsOf(alphas, axis);
  const [a, b] = [points[ends.a], points[ends.b]];
  const rise = (quantity: 'loss' | 'error') => {
    const values = points.map((point) => point[quantity]);
    const found = riseOf(alphas, values, ends);
    return {...found, highest: values[found.top] ?? Number.NaN, alpha: alphas[found.top] ?? Number.NaN};
  };
  const loss = rise('loss');
  const error = rise('error');
  if (!a || !b) throw new Error('Internal error: ends that are not among the points');
  return {
    error_instability: error.barrier,
    loss_barrier: loss.barrier,
    error_barrier_linear: error.linear,
    loss_barrier_linear: loss.linear,
    // ends with a loss of 0 have no ratio; a table holds finite numbers
    loss_ratio: loss.highest === loss.mean ? 1 : Math.min(loss.highest / loss.mean, Number.MAX_VALUE),
    alpha_at_max_error: error.alpha,
    alpha_at_max_loss: loss.alpha,
    error_a: a.error,
    error_b: b.error,
    loss_a: a.loss,
    loss_b: b.loss,
    points: points.length,
    midpoint: points.some(({alpha}) => alpha === 0.5),
  };
}

/** The one column that the gathering added to a table of a line. */
export function axisOf(rows: readonly Row[], kind: 'points' | 'examples'): string {
  if (rows.length === 0) throw new StageError('There are no points.', gatherOverOne(kind));
  return oneAxis(
    Object.keys(rows[0] ?? {}).filter((column) => !(column in BASE_COLUMNS[kind])),
    kind,
  );
}

const gatherOverOne = (kind: 'points' | 'examples'): string =>
  `Gather over the axis that moves from a to b alone: {from: interpolate.${kind}, over: [alpha]}.`;

/** The axis that points are gathered over, which must be one. */
export function oneAxis(gathered: readonly string[], kind: 'points' | 'examples'): string {
  const [axis] = gathered;
  if (axis === undefined || gathered.length > 1) {
    throw new StageError(
      `The points are gathered over ${gathered.length === 0 ? 'no axis' : gathered.join(', ')}, and a barrier needs one.`,
      gatherOverOne(kind),
    );
  }
  return axis;
}

export function numberIn(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === 'number') return value;
  throw new StageError(
    `The points have ${column} = ${String(value)}, which is no number.`,
    'A barrier needs a numeric axis from 0 to 1.',
  );
}
