import type {Row} from '../../src/artifact/kinds.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {axisOf, numberIn} from './barrier.ts';

/** What the networks of a line made of the n pictures of one split. */
export interface LineExamples {
  readonly split: string;
  readonly axis: string;
  readonly alphas: readonly number[];
  readonly n: number;
  /** [alphas][n]. */
  readonly predicted: readonly Int32Array[];
  /** [alphas][n], 1 where the prediction is not the label. */
  readonly wrong: readonly Uint8Array[];
  /** [alphas][n], in nats. */
  readonly loss: readonly Float64Array[];
}

/**
 * Gathered `examples`, a split at a time, in order of first appearance.
 *
 * @throws StageError when the points were evaluated on different pictures.
 */
export function lineExamples(rows: readonly Row[]): LineExamples[] {
  const axis = axisOf(rows, 'examples');
  const splits = Map.groupBy(rows, ({split}) => String(split));
  return [...splits].map(([split, own]) => {
    const points = [...Map.groupBy(own, (row) => numberIn(row, axis))];
    const column = (point: readonly Row[], name: string): number[] => point.map((row) => numberIn(row, name));
    const labels = column(points[0]?.[1] ?? [], 'label');
    for (const [alpha, point] of points) refuseOthers(column(point, 'label'), labels, `${axis} = ${alpha}`, split);
    return {
      split,
      axis,
      alphas: points.map(([alpha]) => alpha),
      n: labels.length,
      predicted: points.map(([, point]) => Int32Array.from(column(point, 'predicted'))),
      wrong: points.map(([, point]) => Uint8Array.from(point, (row) => (row.predicted === row.label ? 0 : 1))),
      loss: points.map(([, point]) => Float64Array.from(column(point, 'loss'))),
    };
  });
}

function refuseOthers(labels: readonly number[], first: readonly number[], point: string, split: string): void {
  if (labels.length === first.length && labels.every((label, index) => label === first[index])) return;
  throw new StageError(
    `The point ${point} was evaluated on other ${split} pictures than the first one, so nothing can be compared picture by picture.`,
    'Give all points the same data.',
  );
}
