/**
 * Pipelines as a test sees them, and what they compute, worked out from the definition of each node alone: nothing here knows
 * of graphs, keys or caches.
 */
export type ModelNode = {readonly form: 'short' | 'long' | 'backwards'} & (
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

/** A point of a node: its result, and everything that decides it as one text. */
export interface Point {
  readonly axes: Readonly<Record<string, number>>;
  readonly value: number;
  readonly work: string;
}

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

/** Every combination of a point's axes with values for more of them. */
const spread = (base: readonly Axes[], axes: readonly string[], model: Model): readonly Axes[] =>
  axes.reduce<readonly Axes[]>(
    (rows, axis) =>
      rows.flatMap((row) =>
        (model.axes[axis] ?? []).flatMap((value) => (agree(row, {[axis]: value}) ? [{...row, [axis]: value}] : [])),
      ),
    base,
  );

const total = (axes: readonly string[], at: Axes): number =>
  axes.reduce((sum, axis, index) => sum + (index + 1) * (at[axis] ?? 0), 0);

/** The points of every node, in the order of the nodes. */
export function evaluate(model: Model): readonly (readonly Point[])[] {
  const done: (readonly Point[])[] = [];
  for (const node of model.nodes) done.push(pointsOf(node, model, done));
  return done;
}

function pointsOf(node: ModelNode, model: Model, done: readonly (readonly Point[])[]): readonly Point[] {
  switch (node.kind) {
    case 'number':
      return spread([{}], node.axes, model).map((axes) => {
        const value = node.constant + total(node.axes, axes);
        return {axes, value, work: workOf('number', {value}, {})};
      });
    case 'mod':
      return (done[node.from] ?? []).flatMap((source) =>
        spread([source.axes], node.axes, model).map((axes) => {
          const by = node.by + total(node.axes, axes);
          return {axes, value: source.value % by, work: workOf('mod', {by}, {a: [{value: source.value}]})};
        }),
      );
    case 'add':
      return (done[node.left] ?? []).flatMap((left) =>
        (done[node.right] ?? [])
          .filter((right) => agree(left.axes, right.axes))
          .map((right) => ({
            axes: {...left.axes, ...right.axes},
            value: left.value + right.value,
            work: workOf('add', {}, {a: [{value: left.value}], b: [{value: right.value}]}),
          })),
      );
    case 'sum': {
      const rest = (point: Point): Axes =>
        Object.fromEntries(Object.entries(point.axes).filter(([axis]) => !node.over.includes(axis)));
      const families = Map.groupBy(done[node.from] ?? [], (point) => workOf('', rest(point), {}));
      return [...families.values()].map((members) => {
        const order = (one: Point, other: Point): number =>
          node.over.map((axis) => (one.axes[axis] ?? 0) - (other.axes[axis] ?? 0)).find((by) => by !== 0) ?? 0;
        const points = members.toSorted(order).map(({axes, value}) => ({
          ...Object.fromEntries(node.over.map((axis) => [axis, axes[axis]])),
          value,
        }));
        const value = points.reduce((sum, point) => sum + point.value, 0);
        const [first] = members;
        return {axes: first ? rest(first) : {}, value, work: workOf('sum', {}, {points})};
      });
    }
    case 'levels': {
      const points: Point[] = [];
      for (const level of (model.axes.level ?? []).toSorted((a, b) => a - b)) {
        const before = points.at(-1);
        const by = node.constant + level;
        const inputs = before ? {a: [{value: before.value}]} : {};
        points.push({axes: {level}, value: by + (before?.value ?? 0), work: workOf('more', {by}, inputs)});
      }
      return points;
    }
  }
}
