import type {Graph, GraphNode} from '../graph/graph.ts';
import type {Plan} from '../plan/verdict.ts';

/** The nodes of a pipeline as a Mermaid flowchart, axes collapsed to their sizes; what will run is marked. */
export function mermaid(graph: Graph, plan: Plan): string {
  const ids = new Map(graph.nodes.map(({name}, i) => [name, `n${i}`]));
  const runs = (node: GraphNode): boolean =>
    node.instances.some((index) => plan.instances[index]?.verdict !== 'cached');
  const boxes = graph.nodes.map((node) => {
    const axes = node.axes.map(({name, values}) => `${name} ×${values.length}`).join(', ');
    const label = `${node.name}${axes === '' ? '' : `<br>${axes}`}`;
    return `  ${ids.get(node.name)}["${label}"]${runs(node) ? ':::runs' : ''}`;
  });
  const edges = new Set(
    graph.nodes.flatMap((node) =>
      upstreamNodes(graph, node).map((above) => `  ${ids.get(above)} --> ${ids.get(node.name)}`),
    ),
  );
  return ['flowchart TD', ...boxes, ...edges, '  classDef runs stroke-width:3px'].join('\n');
}

function upstreamNodes(graph: Graph, {instances}: GraphNode): readonly string[] {
  const [first] = instances;
  const inputs = first === undefined ? {} : (graph.instances[first]?.inputs ?? {});
  return Object.values(inputs).flatMap((binding) => {
    const from = binding.many ? binding.members[0]?.from : binding.from;
    return from === undefined ? [] : (graph.instances[from]?.node ?? []);
  });
}
