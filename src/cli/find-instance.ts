import type {Diagnostic} from '../base/diagnostic.ts';
import {suggestion} from '../base/nearest.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Graph, Instance} from '../graph/graph.ts';
import {commandFault} from './faults.ts';

/** The instances a person names: one by its id, or all of a node by the node's name. */
export function findInstances(graph: Graph, name: string): Result<readonly Instance[], readonly Diagnostic[]> {
  const node = graph.nodes.find((candidate) => candidate.name === name);
  if (node) return ok(node.instances.flatMap((index) => graph.instances[index] ?? []));
  const instance = graph.instances.find(({id}) => id === name);
  if (instance) return ok([instance]);
  const owner = graph.nodes.find((candidate) => name.startsWith(`${candidate.name}[`));
  const ids = owner
    ? owner.instances.flatMap((index) => graph.instances[index]?.id ?? [])
    : graph.nodes.map((n) => n.name);
  return fail([
    commandFault(
      `There is no node or instance "${name}" in ${graph.source.name}.`,
      suggestion(name, ids, owner ? 'instances of that node' : 'nodes'),
    ),
  ]);
}

/** The instances that some names stand for; the error is every name that stands for none. */
export function findAll(graph: Graph, names: readonly string[]): Result<readonly Instance[]> {
  const found = names.map((name) => findInstances(graph, name));
  const faults = found.flatMap((each) => (each.ok ? [] : each.error));
  return faults.length > 0 ? fail(faults) : ok(found.flatMap((each) => (each.ok ? each.value : [])));
}

/** What a run is asked for, as indices of instances. */
export interface Work {
  /** With everything that these need. */
  readonly wanted: ReadonlySet<number>;
  /** Those of them that run although their result is stored. */
  readonly forced: ReadonlySet<number>;
}

/**
 * What `--target` and `--force` ask for: all instances and none of them by force, unless some are named. The error is also every name that was to be
 * forced and has no part in the run, which would do nothing of what was asked for.
 */
export function findWork(
  graph: Graph,
  {target, force = []}: {readonly target?: readonly string[]; readonly force?: readonly string[]},
): Result<Work> {
  const targets = target ? findAll(graph, target) : ok(graph.instances);
  const forced = findAll(graph, force);
  if (!targets.ok || !forced.ok) return fail([targets, forced].flatMap((found) => (found.ok ? [] : found.error)));
  const wanted = withUpstream(graph, targets.value);
  const isWanted = ({index}: Instance): boolean => wanted.has(index);
  const idle = force.filter((name) => {
    const named = findInstances(graph, name);
    return named.ok && !named.value.some(isWanted);
  });
  if (idle.length > 0)
    return fail(
      idle.map((name) =>
        commandFault(
          `"${name}" is to be forced and is no part of what is run: the targets do not need it.`,
          'Name it with --target too, or leave it out of --force.',
        ),
      ),
    );
  return ok({wanted, forced: new Set(forced.value.filter(isWanted).map(({index}) => index))});
}

/** Indices of some instances and of everything above them. */
function withUpstream(graph: Graph, wanted: readonly Instance[]): ReadonlySet<number> {
  const found = new Set<number>();
  const stack = wanted.map(({index}) => index);
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    if (found.has(index)) continue;
    found.add(index);
    for (const binding of Object.values(graph.instances[index]?.inputs ?? {})) {
      if (binding.many) stack.push(...binding.members.map(({from}) => from));
      else stack.push(binding.from);
    }
  }
  return found;
}
