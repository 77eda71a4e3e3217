import {DirectedGraph} from 'graphology';
import {hasCycle, topologicalSort} from 'graphology-dag';
import type {Faults} from '../spec/faults.ts';
import type {CheckedNode} from './check-node.ts';
import {shortestCycle} from './find-cycle.ts';

/** More cycles than this are one mistake made many times. */
const MOST_CYCLES = 10;
const LONGEST_SHOWN = 20;

/**
 * The nodes, upstream first. Each cycle is a fault that names its nodes in the order in which artifacts flow; nodes on or below a
 * cycle are left out.
 */
export function orderNodes(nodes: ReadonlyMap<string, CheckedNode>, faults: Faults): readonly CheckedNode[] {
  const graph = new DirectedGraph();
  for (const name of nodes.keys()) graph.addNode(name);
  for (const [name, {edges}] of nodes) {
    for (const {from} of edges) if (nodes.has(from.node)) graph.mergeDirectedEdge(from.node, name);
  }
  let cycles = 0;
  while (hasCycle(graph)) {
    const edges = new Map(graph.mapNodes((name): [string, string[]] => [name, graph.outNeighbors(name)]));
    const cycle = shortestCycle(edges);
    if (!cycle) throw new Error('Internal error: a cycle that cannot be found');
    cycles += 1;
    if (cycles <= MOST_CYCLES) report(cycle, nodes, faults);
    dropBelow(graph, cycle);
  }
  return topologicalSort(graph).flatMap((name) => nodes.get(name) ?? []);
}

function report(cycle: readonly string[], nodes: ReadonlyMap<string, CheckedNode>, faults: Faults): void {
  const [first = '', second] = cycle;
  const last = cycle.at(-1);
  const edge = nodes.get(first)?.edges.find(({from}) => from.node === last);
  const shown = cycle.length > LONGEST_SHOWN ? [...cycle.slice(0, LONGEST_SHOWN), '…'] : cycle;
  const path = [...shown, first].join(' → ');
  const message =
    second === undefined
      ? `"${first}" takes an artifact of its own: ${path}.`
      : `These nodes wait for each other: ${path}.`;
  faults.add(
    'cycle',
    edge?.from.at,
    message,
    second === undefined && edge?.declaration.optional
      ? `Take it from an earlier point of an axis: {from: ${first}.${edge.from.artifact}, previous: AXIS}.`
      : `Take "${edge?.input.name}" of "${first}" from a node that comes earlier.`,
  );
}

function dropBelow(graph: DirectedGraph, cycle: readonly string[]): void {
  const stack = [...cycle];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    if (!graph.hasNode(name)) continue;
    stack.push(...graph.outNeighbors(name));
    graph.dropNode(name);
  }
}
