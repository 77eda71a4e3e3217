import type {Graph, Instance} from '../graph/graph.ts';
import {upstreamOf} from './generations.ts';

/** Those above some instances, near and far, that failed. */
export function failedAbove(
  graph: Graph,
  instances: readonly Instance[],
  hasFailed: (instance: Instance) => boolean,
): readonly Instance[] {
  const seen = new Set(instances.flatMap(upstreamOf));
  for (const index of seen) {
    const above = graph.instances[index];
    if (above) for (const next of upstreamOf(above)) seen.add(next);
  }
  return [...seen].flatMap((index) => graph.instances[index] ?? []).filter(hasFailed);
}
