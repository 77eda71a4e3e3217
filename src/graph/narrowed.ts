import {canonicalJson} from '../base/canonical-json.ts';
import type {Graph, GraphNode} from './graph.ts';

/** A graph with those of its nodes that have wanted instances, each with these and the values of its axes that they have; indices stay. */
export function narrowed(graph: Graph, wanted: ReadonlySet<number>): Graph {
  if (wanted.size === graph.instances.length) return graph;
  return {...graph, nodes: graph.nodes.flatMap((node) => narrowedNode(node, graph, wanted) ?? [])};
}

function narrowedNode(node: GraphNode, graph: Graph, wanted: ReadonlySet<number>): GraphNode | undefined {
  const instances = node.instances.filter((index) => wanted.has(index));
  if (instances.length === 0) return undefined;
  const axes = node.axes.map(({name, values}) => {
    const there = new Set(instances.map((index) => canonicalJson(graph.instances[index]?.axes[name] ?? null)));
    return {name, values: values.filter((value) => there.has(canonicalJson(value)))};
  });
  return {...node, instances, axes};
}
