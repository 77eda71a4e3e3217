import type {Graph, Instance} from '../graph/graph.ts';

/** Indices of the instances whose outputs this one takes, each once. */
export function upstreamOf({inputs}: Instance): readonly number[] {
  const bindings = Object.values(inputs);
  const [only, second] = bindings;
  if (!only) return [];
  if (!second && !only.many) return [only.from];
  const indices = bindings.flatMap((binding) =>
    binding.many ? binding.members.map(({from}) => from) : [binding.from],
  );
  return [...new Set(indices)];
}

/** The instances in groups of which each takes only from earlier ones. */
export function generations(graph: Graph): readonly (readonly Instance[])[] {
  const groups: Instance[][] = [];
  const depths: number[] = [];
  for (const instance of graph.instances) {
    let depth = 0;
    for (const index of upstreamOf(instance)) depth = Math.max(depth, (depths[index] ?? 0) + 1);
    depths[instance.index] = depth;
    const group = groups[depth];
    if (group) group.push(instance);
    else groups[depth] = [instance];
  }
  return groups;
}
