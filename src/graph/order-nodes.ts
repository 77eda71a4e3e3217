import type {Faults} from '../spec/faults.ts';
import type {CheckedNode} from './check-node.ts';
import {shortestCycle} from './find-cycle.ts';

/** More cycles than this are one mistake made many times. */
const MOST_CYCLES = 10;
const LONGEST_SHOWN = 20;

/** From each node to those that take from it, each once. */
type Consumers = Map<string, string[]>;

/**
 * The nodes, upstream first. Each cycle is a fault that names its nodes in the order in which artifacts flow; nodes on or below a
 * cycle are left out.
 */
export function orderNodes(nodes: ReadonlyMap<string, CheckedNode>, faults: Faults): readonly CheckedNode[] {
  const consumers: Consumers = new Map();
  for (const name of nodes.keys()) consumers.set(name, []);
  for (const [name, {edges}] of nodes) {
    for (const [at, {from}] of edges.entries()) {
      if (edges.findIndex((edge) => edge.from.node === from.node) === at) consumers.get(from.node)?.push(name);
    }
  }
  for (let cycles = 1; ; cycles += 1) {
    const ordered = upstreamFirst(consumers);
    if (ordered.length === consumers.size) return ordered.flatMap((name) => nodes.get(name) ?? []);
    const cycle = shortestCycle(consumers);
    if (!cycle) throw new Error('Internal error: a cycle that cannot be found');
    if (cycles <= MOST_CYCLES) report(cycle, nodes, faults);
    dropBelow(consumers, cycle);
  }
}

/** Kahn's algorithm: nodes in the order in which the last of what they wait for was passed; those on and below a cycle are missing. */
function upstreamFirst(consumers: Consumers): readonly string[] {
  const awaited = new Map<string, number>();
  for (const targets of consumers.values()) for (const name of targets) awaited.set(name, (awaited.get(name) ?? 0) + 1);
  const ordered: string[] = [];
  for (const name of consumers.keys()) if (!awaited.has(name)) ordered.push(name);
  for (const name of ordered) {
    for (const consumer of consumers.get(name) ?? []) {
      const left = (awaited.get(consumer) ?? 0) - 1;
      awaited.set(consumer, left);
      if (left === 0) ordered.push(consumer);
    }
  }
  return ordered;
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

function dropBelow(consumers: Consumers, cycle: readonly string[]): void {
  const stack = [...cycle];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    stack.push(...(consumers.get(name) ?? []));
    consumers.delete(name);
  }
  for (const [name, targets] of consumers)
    consumers.set(
      name,
      targets.filter((target) => consumers.has(target)),
    );
}
