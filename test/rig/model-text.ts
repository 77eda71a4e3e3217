import {INCLUDED, type Model, type ModelNode, rowsOf} from './pipeline-model.ts';

/** A model as the pipeline file that a person would write for it. */
export function textOf(model: Model): string {
  const name = (index: number): string => `${model.prefix}${index}`;
  const stages = model.nodes.map((node, index) => [name(index), nodeOf(node, index, model, name)]);
  return JSON.stringify({params: {}, stages: Object.fromEntries(stages)});
}

const formula = (constant: number, axes: readonly string[]): string =>
  `\${${[constant, ...axes.map((axis, index) => `${index + 1} * ${axis}`)].join(' + ')}}`;

function nodeOf(node: ModelNode, index: number, model: Model, name: (index: number) => string): object {
  const summary = (from: number): string => `${name(from)}.summary`;
  switch (node.kind) {
    case 'number':
      return {uses: 'number', with: {value: formula(node.constant, node.axes)}, ...sweepOf(node, node.axes, model)};
    case 'dice':
      return {uses: 'dice', with: {seed: formula(node.constant, node.axes)}, ...sweepOf(node, node.axes, model)};
    case 'at-most':
      return {uses: 'at-most', in: {a: summary(node.from)}, with: {limit: node.limit}};
    case 'mod':
      return {
        uses: 'mod',
        in: {a: summary(node.from)},
        with: {by: formula(node.by, node.axes)},
        ...sweepOf(node, node.axes, model),
      };
    case 'add':
      return {uses: 'add', in: {a: summary(node.left), b: summary(node.right)}};
    case 'sum':
      return {uses: 'sum', in: {points: {from: summary(node.from), over: node.over}}};
    case 'levels':
      return {
        uses: 'more',
        in: {a: {from: summary(index), previous: 'level'}},
        with: {by: formula(node.constant, ['level'])},
        ...sweepOf(node, ['level'], model),
      };
  }
}

function sweepOf(node: ModelNode, names: readonly string[], model: Model): object {
  if (names.length === 0) return {};
  const values = (axis: string): readonly number[] => model.axes[axis] ?? [];
  const axes = Object.fromEntries(names.map((axis) => [axis, values(axis)]));
  const [first = '', ...others] = names;
  switch (node.form) {
    case 'short':
      return {sweep: axes};
    case 'backwards':
      return {sweep: Object.fromEntries(names.toReversed().map((axis) => [axis, values(axis).toReversed()]))};
    case 'zipped': {
      const rows = rowsOf(node, names, model);
      return {sweep: {zip: Object.fromEntries(names.map((axis) => [axis, rows.map((row) => row[axis])]))}};
    }
    case 'included':
      return {sweep: {axes, include: [Object.fromEntries(names.map((axis) => [axis, INCLUDED]))]}};
    case 'excluded':
      return {sweep: values(first).length > 1 ? {axes, exclude: [{[first]: values(first)[0]}]} : {axes}};
    case 'long': {
      // 99 is in no axis: it is added here and taken out again, and the rest go along one by one.
      const rest = Object.fromEntries(others.map((axis) => [axis, values(axis)]));
      return {sweep: {zip: {[first]: [...values(first), 99]}, axes: rest, exclude: [{[first]: 99}]}};
    }
  }
}
