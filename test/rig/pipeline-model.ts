/**
 * Pipelines as a test sees them, and what they compute, worked out from the definition of each node alone: nothing here knows
 * of graphs, keys or caches.
 */
export type ModelNode = {readonly form: 'short' | 'long' | 'backwards' | 'zipped' | 'excluded' | 'included'} & (
  | {readonly kind: 'dice'; readonly constant: number; readonly axes: readonly string[]}
  | {readonly kind: 'at-most'; readonly from: number; readonly limit: number}
  | {readonly kind: 'number'; readonly constant: number; readonly axes: readonly string[]}
  | {readonly kind: 'mod'; readonly from: number; readonly by: number; readonly axes: readonly string[]}
  | {readonly kind: 'add'; readonly left: number; readonly right: number}
  | {readonly kind: 'sum'; readonly from: number; readonly over: readonly string[]}
  | {readonly kind: 'levels'; readonly constant: number}
);

export interface Model {
  /** Node names begin with it. */
  readonly prefix: string;
  readonly axes: Readonly<Record<string, readonly number[]>>;
  readonly nodes: readonly ModelNode[];
}

/** A point of a node: its result, and everything that decides it as one text; nothing of both where something it needs has failed. */
export interface Point {
  readonly axes: Readonly<Record<string, number>>;
  /** Nothing where it fails. */
  readonly value: number | undefined;
  readonly work: string | undefined;
}

/** What a node whose result is another each time has given, by its work. */
export type Drawn = ReadonlyMap<string, number>;

/** One text for equal work, whatever the order of keys. */
export const workOf = (stage: string, params: object, inputs: object): string =>
  JSON.stringify([stage, params, inputs], (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

type Axes = Point['axes'];
const agree = (one: Axes, other: Axes): boolean =>
  Object.entries(one).every(([axis, value]) => other[axis] === undefined || other[axis] === value);

/** In no axis: a point that is included. */
export const INCLUDED = 7;

/** The rows of a node's own sweep. */
export function rowsOf({form}: ModelNode, axes: readonly string[], model: Model): readonly Axes[] {
  const valuesOf = (axis: string): readonly number[] => model.axes[axis] ?? [];
  const [first = ''] = axes;
  if (axes.length === 0) return [{}];
  if (form === 'zipped') {
    const length = Math.min(...axes.map((axis) => valuesOf(axis).length));
    return Array.from({length}, (_, at) => Object.fromEntries(axes.map((axis) => [axis, valuesOf(axis)[at] ?? 0])));
  }
  const rows = axes.reduce<readonly Axes[]>(
    (done, axis) => done.flatMap((row) => valuesOf(axis).map((value) => ({...row, [axis]: value}))),
    [{}],
  );
  if (form === 'included') return [...rows, Object.fromEntries(axes.map((axis) => [axis, INCLUDED]))];
  return form === 'excluded' && valuesOf(first).length > 1
    ? rows.filter((row) => row[first] !== valuesOf(first)[0])
    : rows;
}

/** Every combination of a point's axes with rows of more of them. */
const spread = (base: Axes, rows: readonly Axes[]): readonly Axes[] =>
  rows.filter((row) => agree(base, row)).map((row) => ({...base, ...row}));

const total = (axes: readonly string[], at: Axes): number =>
  axes.reduce((sum, axis, index) => sum + (index + 1) * (at[axis] ?? 0), 0);

/** The points of every node, in the order of the nodes. */
export function evaluate(model: Model, drawn: Drawn = new Map()): readonly (readonly Point[])[] {
  const done: (readonly Point[])[] = [];
  for (const node of model.nodes) done.push(pointsOf(node, model, done, drawn));
  return done;
}

/** A point that takes one result of each of some others. */
const pointFrom = (
  axes: Axes,
  values: readonly (number | undefined)[],
  result: (...values: readonly number[]) => Omit<Point, 'axes'>,
): Point => {
  const there = values.flatMap((value) => value ?? []);
  return {axes, ...(there.length < values.length ? {value: undefined, work: undefined} : result(...there))};
};

function pointsOf(node: ModelNode, model: Model, done: readonly (readonly Point[])[], drawn: Drawn): readonly Point[] {
  switch (node.kind) {
    case 'number':
      return rowsOf(node, node.axes, model).map((axes) => {
        const value = node.constant + total(node.axes, axes);
        return {axes, value, work: workOf('number', {value}, {})};
      });
    case 'dice':
      return rowsOf(node, node.axes, model).map((axes) => {
        const work = workOf('dice', {seed: node.constant + total(node.axes, axes)}, {});
        return {axes, value: drawn.get(work), work};
      });
    case 'at-most':
      return (done[node.from] ?? []).map(({axes, value}) =>
        pointFrom(axes, [value], (given = 0) => ({
          value: given > node.limit ? undefined : given,
          work: workOf('at-most', {limit: node.limit}, {a: [{value: given}]}),
        })),
      );
    case 'mod':
      return (done[node.from] ?? []).flatMap((source) =>
        spread(source.axes, rowsOf(node, node.axes, model)).map((axes) =>
          pointFrom(axes, [source.value], (value = 0) => {
            const by = node.by + total(node.axes, axes);
            return {value: value % by, work: workOf('mod', {by}, {a: [{value}]})};
          }),
        ),
      );
    case 'add':
      return (done[node.left] ?? []).flatMap((left) =>
        (done[node.right] ?? [])
          .filter((right) => agree(left.axes, right.axes))
          .map((right) =>
            pointFrom({...left.axes, ...right.axes}, [left.value, right.value], (a = 0, b = 0) => ({
              value: a + b,
              work: workOf('add', {}, {a: [{value: a}], b: [{value: b}]}),
            })),
          ),
      );
    case 'sum': {
      const rest = (point: Point): Axes =>
        Object.fromEntries(Object.entries(point.axes).filter(([axis]) => !node.over.includes(axis)));
      const families = Map.groupBy(done[node.from] ?? [], (point) => workOf('', rest(point), {}));
      return [...families.values()].map((members) => {
        const order = (one: Point, other: Point): number =>
          node.over.map((axis) => (one.axes[axis] ?? 0) - (other.axes[axis] ?? 0)).find((by) => by !== 0) ?? 0;
        const points = members
          .toSorted(order)
          .flatMap(({axes, value}) =>
            value === undefined ? [] : [{...Object.fromEntries(node.over.map((axis) => [axis, axes[axis]])), value}],
          );
        const [first] = members;
        const axes = first ? rest(first) : {};
        if (points.length === 0) return {axes, value: undefined, work: undefined};
        const value = points.reduce((sum, point) => sum + point.value, 0);
        return {axes, value, work: workOf('sum', {}, {points})};
      });
    }
    case 'levels': {
      const points: (Point & {readonly value: number})[] = [];
      const levels = rowsOf(node, ['level'], model).map(({level = 0}) => level);
      for (const level of levels.toSorted((a, b) => a - b)) {
        const before = points.at(-1);
        const by = node.constant + level;
        const inputs = before ? {a: [{value: before.value}]} : {};
        points.push({axes: {level}, value: by + (before?.value ?? 0), work: workOf('more', {by}, inputs)});
      }
      return points;
    }
  }
}
