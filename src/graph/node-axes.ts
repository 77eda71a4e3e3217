import {type Columns, declaredColumns} from '../artifact/kinds.ts';
import {suggestion} from '../base/nearest.ts';
import type {Faults} from '../spec/faults.ts';
import {reportShadow} from '../spec/read-sweep.ts';
import type {NodeSpec, SweepSpec} from '../spec/spec.ts';
import type {Stage} from '../stage/define-stage.ts';
import type {CheckedNode, Edge} from './check-node.ts';
import {ownAxes} from './listed-points.ts';
import {ordered, type Together} from './previous.ts';
import {gather, join, type Relation, sizeOfJoin, UNIT} from './relation.ts';
import {applyRows, groupRelation} from './sweep-points.ts';
import {refuseTwoMeanings} from './two-meanings.ts';

/** More instances than this in one pipeline are a mistake of the sweep, not a plan. */
const MOST_INSTANCES = 200_000;

/** The instances of a node that others take from. */
export interface Source {
  readonly stage: Stage;
  readonly axes: readonly string[];
  readonly together: readonly Together[];
  readonly rows: readonly {readonly index: number; readonly axes: Relation['rows'][number]['axes']}[];
}

/** The points of a node, and the groups of axes among theirs that its own sweep gives. */
export interface NodePoints extends Relation {
  readonly groups: SweepSpec['groups'];
  /** Axes that come with its inputs. */
  readonly followed: readonly string[];
  /** Of its own sweep and of those that come with its inputs. */
  readonly together: readonly Together[];
}

export interface Part {
  readonly name: string;
  readonly relation: Relation;
  readonly together: readonly Together[];
}

/**
 * The points of a node: the join of its inputs, in the order in which its stage declares them, and then of its own axes in
 * file order, with what the rows of its sweep take away and add. Undefined when there is a fault.
 */
export function nodeAxes(
  node: CheckedNode,
  sources: ReadonlyMap<string, Source>,
  made: number,
  faults: Faults,
): NodePoints | undefined {
  const {spec, stage} = node;
  const inputs: Part[] = [];
  for (const edge of node.edges) {
    const source = sources.get(edge.from.node);
    const part = source && inputPart(edge, source, spec.params, faults);
    if (part) inputs.push(part);
  }
  const inherited = inputs.flatMap(({relation}) => relation.axes);
  const swept = ownAxes(spec, stage, inherited, faults);
  if (!swept) return undefined;
  const {groups, joined: parts, isList} = swept;
  refuseTwoMeanings(spec, inputs, [...inherited, ...groups.flat().map((axis) => axis.name)], faults);
  const own: Part[] = parts.flatMap((group) => {
    const relation = groupRelation(group);
    const together =
      group.length < 2 ? [] : [{axes: group.map(({name}) => name), by: isList ? 'list' : 'zip'} as const];
    return relation
      ? {name: `the sweep of ${group.map(({name}) => `"${name}"`).join(' and ')}`, relation, together}
      : [];
  });
  if (inputs.length < node.edges.length || own.length < parts.length) return undefined;
  const most = MOST_INSTANCES - made;
  const followed = joinAll(node, UNIT, inputs, [], most, faults);
  const joined = followed && joinAll(node, followed, own, inputs, most, faults);
  const points = joined && applyRows({...spec, stage, groups, isList}, followed, joined, faults);
  if (points && points.rows.length > most) return tooMany(node, faults);
  const together = [...inputs, ...own].flatMap((part) => part.together);
  return points && ordered({...points, groups, followed: inherited, together}, node, faults);
}

/** `before` are the parts that are joined already. */
function joinAll(
  node: CheckedNode,
  start: Relation,
  parts: readonly Part[],
  before: readonly Part[],
  most: number,
  faults: Faults,
): Relation | undefined {
  let joined = start;
  for (const [index, {name, relation}] of parts.entries()) {
    const size = joined === UNIT ? relation.rows.length : sizeOfJoin(joined, relation);
    if (size === 0) return emptyJoin(node, [...before, ...parts.slice(0, index)], name, relation, faults);
    if (size > most) return tooMany(node, faults);
    joined = join(joined, relation);
  }
  return joined.rows.length > most ? tooMany(node, faults) : joined;
}

function inputPart(edge: Edge, source: Source, params: NodeSpec['params'], faults: Faults): Part | undefined {
  const {input, from, declaration} = edge;
  const renamed = new Map<string, string>();
  for (const {axis, name} of input.as) {
    if (source.axes.includes(axis.name)) renamed.set(axis.name, name);
    else {
      const hint = suggestion(axis.name, source.axes, `axes of "${from.node}"`);
      faults.add('not-swept', axis.at, `"${from.node}" is not swept over "${axis.name}".`, hint);
    }
  }
  const axes = source.axes.map((axis) => renamed.get(axis) ?? axis);
  const clash = axes.find((axis, index) => axes.indexOf(axis) !== index);
  if (clash !== undefined) {
    const at = input.as.find(({name}) => name === clash)?.axis.at ?? input.keyAt;
    faults.add('bad-name', at, `"${from.node}" has an axis "${clash}" already.`, 'Choose another name.');
    return undefined;
  }
  if (renamed.size < input.as.length) return undefined;
  const rows = source.rows.map(({index, axes: points}) => ({
    axes: renamed.size === 0 ? points : new Map([...points].map(([axis, point]) => [renamed.get(axis) ?? axis, point])),
    inputs: {[input.name]: {many: false, from: index, artifact: from.artifact} as const},
  }));
  const name = `the input "${input.name}"`;
  const relation: Relation = {axes, rows};
  const together = source.together.map(({axes: group, by}) => ({
    by,
    axes: group.map((axis) => renamed.get(axis) ?? axis),
  }));
  const over = declaration.many ? gatheredAxes(edge, axes, source.stage, faults) : [];
  // what is gathered is a column, and no axis of the node
  const shadowing = input.as.find(({name: to}) => params.has(to) && over?.includes(to) === false);
  if (shadowing) reportShadow({name: shadowing.name, keyAt: shadowing.at}, faults, 'Choose another name.');
  if (!over || shadowing) return undefined;
  return {name, relation: declaration.many ? gather(relation, input.name, over) : relation, together};
}

/** The axes to gather over: those the file names, else those of the declaration. */
function gatheredAxes(
  edge: Edge,
  axes: readonly string[],
  stage: Stage,
  faults: Faults,
): readonly string[] | undefined {
  const {input, from, declaration} = edge;
  const before = faults.count;
  for (const {name, at} of input.over ?? []) {
    if (axes.includes(name)) continue;
    faults.add(
      'not-swept',
      at,
      `"${from.node}" is not swept over "${name}".`,
      suggestion(name, axes, `axes of "${from.node}"`),
    );
  }
  const declared = declaration.many?.over ?? [];
  const over = input.over?.map(({name}) => name) ?? (declared === 'all' ? axes : declared);
  const absent = over.find((axis) => !axes.includes(axis));
  if (over.length === 0 || (absent !== undefined && !input.over)) {
    const needed = absent === undefined ? 'an axis' : `the axis "${absent}"`;
    const hint =
      axes.length === 0
        ? `Give "${from.node}" a sweep: {${absent ?? 'alpha'}: […]}.`
        : `Say which axis with {from: ${from.node}.${from.artifact}, over: [${axes.join(', ')}]}, or rename one with "as".`;
    faults.add(
      'gather-without-axis',
      from.at,
      `The input "${input.name}" gathers over ${needed}, which "${from.node}" does not have.`,
      hint,
    );
  }
  const columns = columnsOf(stage, from.artifact);
  const clash = over.find((axis) => Object.hasOwn(columns, axis));
  if (clash !== undefined) {
    const hint = `Rename the axis with as: {${clash}: NEW_NAME}.`;
    faults.add(
      'axis-is-column',
      from.at,
      `"${from.node}.${from.artifact}" has a column "${clash}" already, so the axis of this name cannot become one.`,
      hint,
    );
  }
  return faults.count > before ? undefined : over;
}

/** The declared columns of an artifact, without axes. */
export function columnsOf(stage: Stage, artifact: string): Columns {
  const output = stage.outputs[artifact];
  return output ? declaredColumns(output) : {};
}

function tooMany(node: CheckedNode, faults: Faults): undefined {
  const message = `With "${node.spec.name}" the pipeline has more than ${MOST_INSTANCES} instances.`;
  faults.add('too-large', node.spec.at, message, 'Sweep fewer values, or fewer axes together.');
  return undefined;
}

function emptyJoin(
  node: CheckedNode,
  parts: readonly Part[],
  name: string,
  relation: Relation,
  faults: Faults,
): undefined {
  const clashes = relation.axes.flatMap((axis) =>
    parts.flatMap((part) => {
      if (!part.relation.axes.includes(axis)) return [];
      return [
        `"${axis}" is ${valuesOf(part.relation, axis)} in ${part.name}, but ${valuesOf(relation, axis)} in ${name}`,
      ];
    }),
  );
  const message = `"${node.spec.name}" has no point at all: ${clashes.join('; ')}.`;
  const hint =
    'Give both the same values, or rename one axis with {from: NODE.ARTIFACT, as: {OLD: NEW}} to combine all with all.';
  faults.add('empty-join', node.spec.at, message, hint);
  return undefined;
}

function valuesOf({rows}: Relation, axis: string): string {
  const texts = [...new Set(rows.map((row) => row.axes.get(axis)?.text ?? ''))];
  return texts.length > 6 ? `${texts.slice(0, 5).join(', ')}, …` : texts.join(', ');
}
