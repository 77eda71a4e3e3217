import {referencesOf} from '../spec/read-plots.ts';
import type {NodeSpec, Spec} from '../spec/spec.ts';

/** The nodes of a pipeline's own file, and of the files that it uses those that they take from, in the order of the spec. */
export function neededNodes({nodes, expectations, plots}: Spec): readonly NodeSpec[] {
  const needed = new Set<NodeSpec>();
  const own = [...nodes.values()].filter(({used}) => !used);
  const shown = [...expectations.map(({of}) => of), ...plots.flatMap(({view}) => referencesOf(view))];
  const stack = [...own, ...shown.flatMap(({node}) => nodes.get(node) ?? [])];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    for (const {from} of node.inputs.values()) {
      const source = from && nodes.get(from.node);
      if (source) stack.push(source);
    }
  }
  return [...nodes.values()].filter((node) => needed.has(node));
}
