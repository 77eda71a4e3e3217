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
  const axis = axisOf(rows);
  const splits = new Map<string, Point[]>();
  for (const row of rows) {
    const split = String(row.split);
    const point = {alpha: numberIn(row, axis), loss: numberIn(row, 'loss'), error: numberIn(row, 'error')};
    splits.set(split, [...(splits.get(split) ?? []), point]);
  }
  return [...splits].map(([split, points]) => ({split, ...barrierOf(points, axis)}));
}

function barrierOf(points: readonly Point[], axis: string): Row {
  const a = points.find(({alpha}) => alpha === 0);
  const b = points.find(({alpha}) => alpha === 1);
  if (!a || !b) {
    throw new StageError(
      `A barrier is measured from both ends of the line, and the points have no ${axis} = ${a ? 1 : 0}.`,
      `Put 0 and 1 among the values of ${axis}, as in {linspace: [0, 1, 25]}.`,
    );
  }
  const rise = (quantity: 'loss' | 'error') => {
    const mean = (a[quantity] + b[quantity]) / 2;
    const top = points.reduce((highest, point) => (point[quantity] > highest[quantity] ? point : highest));
    const above = points.map(
      (point) => point[quantity] - ((1 - point.alpha) * a[quantity] + point.alpha * b[quantity]),
    );
    return {mean, top, barrier: top[quantity] - mean, linear: Math.max(...above)};
  };
  const loss = rise('loss');
  const error = rise('error');
  return {
    error_instability: error.barrier,
    loss_barrier: loss.barrier,
    error_barrier_linear: error.linear,
    loss_barrier_linear: loss.linear,
    // ends with a loss of 0 have no ratio; a table holds finite numbers
    loss_ratio: loss.top.loss === loss.mean ? 1 : Math.min(loss.top.loss / loss.mean, Number.MAX_VALUE),
    alpha_at_max_error: error.top.alpha,
    alpha_at_max_loss: loss.top.alpha,
    error_a: a.error,
    error_b: b.error,
    loss_a: a.loss,
    loss_b: b.loss,
    points: points.length,
    midpoint: points.some(({alpha}) => alpha === 0.5),
  };
}

/** The one column that the gathering added. */
function axisOf(rows: readonly Row[]): string {
  const added = Object.keys(rows[0] ?? {}).filter((column) => !(column in BASE_COLUMNS.points));
  const [axis] = added;
  if (axis === undefined || added.length > 1) {
    throw new StageError(
      rows.length === 0
        ? 'There are no points.'
        : `The points are gathered over ${added.length === 0 ? 'no axis' : added.join(', ')}, and a barrier needs one.`,
      'Gather over the axis that moves from a to b alone: {from: interpolate.points, over: [alpha]}.',
    );
  }
  return axis;
}

function numberIn(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === 'number') return value;
  throw new StageError(
    `The points have ${column} = ${String(value)}, which is no number.`,
    'A barrier needs a numeric axis from 0 to 1.',
  );
}
