/** Starts looked from at most: a graph of more nodes on cycles was not written by hand. */
const MOST_STARTS = 1_000;

/**
 * A shortest cycle of a directed graph, each node once, beginning with the one that comes first in `edges`;
 * undefined when there is none. `edges` leads from each node to those that take from it.
 */
export function shortestCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const left = onCycles(edges);
  let best: readonly string[] | undefined;
  for (const start of [...left].slice(0, MOST_STARTS)) {
    const found = shortestThrough(start, edges, left, best?.length ?? Number.POSITIVE_INFINITY);
    if (found) best = found;
  }
  return best;
}

/** Nodes with something before and something after them, when all others are taken away one by one. */
function onCycles(edges: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const back = new Map<string, string[]>([...edges.keys()].map((node) => [node, []]));
  for (const [from, targets] of edges) for (const to of targets) back.get(to)?.push(from);
  const left = new Set(edges.keys());
  for (const [forward, backward] of [
    [edges, back],
    [back, edges],
  ] as const) {
    const counts = new Map(
      [...left].map((node) => [node, (backward.get(node) ?? []).filter((one) => left.has(one)).length]),
    );
    const free = [...left].filter((node) => counts.get(node) === 0);
    for (let node = free.pop(); node !== undefined; node = free.pop()) {
      left.delete(node);
      for (const next of forward.get(node) ?? []) {
        const count = (counts.get(next) ?? 0) - 1;
        counts.set(next, count);
        if (count === 0 && left.has(next)) free.push(next);
      }
    }
  }
  return left;
}

function shortestThrough(
  start: string,
  edges: ReadonlyMap<string, readonly string[]>,
  left: ReadonlySet<string>,
  shorterThan: number,
): readonly string[] | undefined {
  const before = new Map<string, string>();
  let frontier = [start];
  for (let length = 1; length < shorterThan && frontier.length > 0; length++) {
    const next: string[] = [];
    for (const node of frontier) {
      for (const target of edges.get(node) ?? []) {
        if (target === start) return trace(node, before);
        if (!left.has(target) || before.has(target)) continue;
        before.set(target, node);
        next.push(target);
      }
    }
    frontier = next;
  }
  return undefined;
}

function trace(last: string, before: ReadonlyMap<string, string>): readonly string[] {
  const cycle: string[] = [];
  for (let node: string | undefined = last; node !== undefined; node = before.get(node)) cycle.unshift(node);
  return cycle;
}
