import type {Json, JsonObject} from '../base/json.ts';
import {fail, ok, type Result} from '../base/result.ts';
import {Faults} from '../spec/faults.ts';
import type {Spec} from '../spec/spec.ts';
import type {Registry} from '../stage/define-stage.ts';
import {checkExpectations} from './check-expectations.ts';
import {type CheckedNode, checkNode} from './check-node.ts';
import {checkPlots} from './check-plots.ts';
import {checkUpstream} from './check-upstream.ts';
import {reportVarying} from './fixed-parameters.ts';
import type {Binding, Graph, GraphNode, Instance} from './graph.ts';
import {instanceId} from './instance-id.ts';
import {neededNodes} from './needed-nodes.ts';
import {nodeAxes, type Source} from './node-axes.ts';
import {nodeParameters} from './node-parameters.ts';
import {orderNodes} from './order-nodes.ts';
import {ParameterCheck} from './parameter-check.ts';
import {pipelineStages} from './pipeline-stages.ts';
import {earlierRows} from './previous.ts';
import {axesJson, type Relation, UNIT} from './relation.ts';
import type {StageFiles} from './stage-files.ts';
import {groupRelation} from './sweep-points.ts';

/** Looks up every name, checks every parameter and unrolls the sweeps. Every fault is in the error. */
export function buildGraph(spec: Spec, registry: Registry): Result<Graph> {
  const faults = new Faults();
  const graph = draftGraph(spec, registry, faults);
  return faults.none ? ok(graph) : fail(faults.all);
}

/** The graph as far as it can be built; whole only when no fault was added. */
export function draftGraph(spec: Spec, registry: Registry, faults: Faults, files: StageFiles = new Map()): Graph {
  const stages = pipelineStages(spec, registry, files);
  const checked = new Map<string, CheckedNode>();
  for (const node of neededNodes(spec)) {
    const found = checkNode(node, spec, stages, faults);
    if (found) checked.set(node.name, found);
  }
  const sources = new Map<string, Source>();
  const nodes = new Map<string, GraphNode>();
  const instances: Instance[] = [];
  const parameters = new ParameterCheck();
  const ordered = orderNodes(checked, faults);
  // Nodes on and below a cycle come last, so that what else is wrong with them is found too.
  for (const node of new Set([...ordered, ...checked.values()])) {
    const built = expand(node, sources, instances, parameters, faults);
    if (!built) continue;
    sources.set(node.spec.name, built.source);
    nodes.set(node.spec.name, built.node);
  }
  if (faults.none) {
    refuseEqualIds(instances, checked);
    // Parameters that have a fault are not there to be asked about.
    checkUpstream(instances, checked, faults);
  }
  return {
    name: spec.name,
    source: spec.source,
    folder: spec.folder,
    params: jsonOfParams(spec.params),
    nodes: [...spec.nodes.keys()].flatMap((name) => nodes.get(name) ?? []),
    instances,
    consumers: consumersOf(instances),
    expectations: checkExpectations(spec, stages, sources, faults),
    plots: checkPlots(spec, stages, sources, faults),
  };
}

const jsonOfParams = (params: ReadonlyMap<string, Json>): JsonObject => Object.fromEntries(params);

/** Adds a node's instances to `instances`. */
function expand(
  node: CheckedNode,
  sources: ReadonlyMap<string, Source>,
  instances: Instance[],
  check: ParameterCheck,
  faults: Faults,
): {node: GraphNode; source: Source} | undefined {
  const {stage} = node;
  const {name, at, resources} = node.spec;
  const taken = Object.fromEntries([...resources].map(([resource, {amount}]) => [resource, amount]));
  const upstream = node.incomplete || node.edges.some(({from}) => !sources.has(from.node));
  const points = upstream ? undefined : nodeAxes(node, sources, instances.length, faults);
  const varies = points !== undefined && reportVarying(node, points.axes, faults);
  const parameters = nodeParameters(node, points, check, faults);
  if (!points) {
    // Its own axes still find what is wrong with its parameters.
    for (const row of ownPoints(node).rows) parameters.at(row);
    return undefined;
  }
  const rows: {index: number; axes: Source['rows'][number]['axes']}[] = [];
  const first = instances.length;
  const loops = node.loops.map((loop) => ({...loop, earlier: earlierRows(points, loop.axis.name)}));
  for (const [place, row] of points.rows.entries()) {
    const params = parameters.at(row);
    if (!params && faults.none) throw new Error(`Internal error: a point of "${name}" lost its parameters`);
    const index = instances.length;
    const before = loops.flatMap(({input, from: {artifact}, earlier}): [string, Binding][] => {
      const from = earlier[place];
      return from === undefined ? [] : [[input.name, {many: false, from: first + from, artifact}]];
    });
    rows.push({index, axes: row.axes});
    const axes = axesJson(row.axes, points.axes);
    instances.push({
      index,
      id: instanceId(name, axes),
      node: name,
      stage,
      axes,
      params: params ?? {},
      folder: node.spec.folder,
      inputs: before.length === 0 ? row.inputs : {...row.inputs, ...Object.fromEntries(before)},
      retries: node.spec.retries,
      timeOut: node.spec.timeOut,
      resources: taken,
      mutex: node.spec.mutex,
    });
  }
  // What its tables hold is not known, so that nothing can be said of who reads them.
  if (varies) return undefined;
  const source: Source = {stage, axes: points.axes, together: points.together, rows};
  return {
    source,
    node: {name, stage, axes: axisValuesOf(points), instances: rows.map(({index}) => index), resources, at},
  };
}

/** Records, logs and events go by ids: of two that are equal one would be lost without a word. */
function refuseEqualIds(instances: readonly Instance[], checked: ReadonlyMap<string, CheckedNode>): void {
  const seen = new Set<string>();
  for (const {id, node} of instances) {
    if (checked.get(node)?.spec.sweep.include.length === 0) continue; // values of axes are held to be distinct
    if (seen.has(id)) throw new Error(`Internal error: two instances are "${id}"`);
    seen.add(id);
  }
}

/** One row for each value of each own axis, the other axes at their first. */
function ownPoints({spec}: CheckedNode): Relation {
  const alone = spec.sweep.groups.flatMap((group) => groupRelation(group) ?? []);
  const base = new Map(alone.flatMap(({rows}) => [...(rows[0]?.axes ?? [])]));
  if (alone.length === 0) return UNIT;
  const rows = alone.flatMap((relation) =>
    relation.rows.map((row) => ({...row, axes: new Map([...base, ...row.axes])})),
  );
  return {axes: alone.flatMap(({axes}) => axes), rows};
}

function axisValuesOf({axes, rows}: Relation): GraphNode['axes'] {
  return axes.map((name) => {
    const values = new Map(
      rows.flatMap((row) => {
        const point = row.axes.get(name);
        return point ? [[point.text, point.value] as const] : [];
      }),
    );
    return {name, values: [...values.values()]};
  });
}

function consumersOf(instances: readonly Instance[]): Graph['consumers'] {
  const consumers = instances.map((): number[] => []);
  for (const {index, inputs} of instances) {
    const from = new Set<number>();
    for (const binding of Object.values(inputs)) {
      if (binding.many) for (const member of binding.members) from.add(member.from);
      else from.add(binding.from);
    }
    for (const source of from) consumers[source]?.push(index);
  }
  return consumers;
}
