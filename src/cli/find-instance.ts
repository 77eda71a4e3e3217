import type {Diagnostic} from '../base/diagnostic.ts';
import {suggestion} from '../base/nearest.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Graph, Instance} from '../graph/graph.ts';
import {askedPoint, idAt, standsAt} from './asked-point.ts';
import {commandFault} from './faults.ts';

/** The instances a person names: one by its id, however its values and their order are written, or all of a node by the node's name. */
export function findInstances(graph: Graph, name: string): Result<readonly Instance[], readonly Diagnostic[]> {
  const node = graph.nodes.find((candidate) => candidate.name === name);
  if (node) return ok(node.instances.flatMap((index) => graph.instances[index] ?? []));
  const instance = graph.instances.find(({id}) => id === name);
  if (instance) return ok([instance]);
  const message = `There is no node or instance "${name}" in ${graph.source.name}.`;
  const owner = graph.nodes.find((candidate) => name.startsWith(`${candidate.name}[`));
  if (!owner) {
    const names = graph.nodes.map((candidate) => candidate.name);
    return fail([commandFault(message, suggestion(name, names, 'nodes'))]);
  }
  const point = askedPoint(name, owner);
  const instances = owner.instances.flatMap((index) => graph.instances[index] ?? []);
  const there = point && instances.find((candidate) => standsAt(candidate, point));
  if (there) return ok([there]);
  const ids = instances.map(({id}) => id);
  return fail([commandFault(message, suggestion(point ? idAt(owner, point) : name, ids, 'instances of that node'))]);
}

/** The instances that some names stand for; the error is every name that stands for none. */
export function findAll(graph: Graph, names: readonly string[]): Result<readonly Instance[]> {
  const found = names.map((name) => findInstances(graph, name));
  const faults = found.flatMap((each) => (each.ok ? [] : each.error));
  return faults.length > 0 ? fail(faults) : ok(found.flatMap((each) => (each.ok ? each.value : [])));
}

/**
 * Indices of what is to run by force, as far as it is wanted. The error is also every name of which nothing is, for a run would do nothing
 * of what was asked for.
 */
export function findForced(
  graph: Graph,
  names: readonly string[],
  wanted: ReadonlySet<number>,
): Result<ReadonlySet<number>> {
  const faults: Diagnostic[] = [];
  const forced = new Set<number>();
  for (const name of names) {
    const found = findInstances(graph, name);
    const indices = found.ok ? found.value.flatMap(({index}) => (wanted.has(index) ? [index] : [])) : [];
    for (const index of indices) forced.add(index);
    if (!found.ok) faults.push(...found.error);
    else if (indices.length === 0)
      faults.push(
        commandFault(
          `"${name}" is to be forced and is no part of what is run: the targets do not need it.`,
          'Name it with --target too, or leave it out of --force.',
        ),
      );
  }
  return faults.length > 0 ? fail(faults) : ok(forced);
}

/** Indices of some instances and of everything above them. */
export function withUpstream(graph: Graph, wanted: readonly Instance[]): ReadonlySet<number> {
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
