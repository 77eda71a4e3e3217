import type {Instance} from '../graph/graph.ts';
import {predictTime} from '../plan/predict-time.ts';
import type {RunOptions} from './run-options.ts';

type Planned = Pick<RunOptions, 'graph' | 'plan' | 'store'>;

/** How urgent instances are; found out when the first is asked for, since a run that computes nothing need not know. */
export class Priorities {
  readonly #planned: Planned;
  #paths: readonly number[] | undefined;

  constructor(planned: Planned) {
    this.#planned = planned;
  }

  of({index}: Instance): number {
    this.#paths ??= criticalPaths(this.#planned);
    return this.#paths[index] ?? 0;
  }
}

/**
 * By instance, the seconds of the longest path from its start to the end of the run: what is first on the longest path goes first. What has
 * never run counts as the mean of what has, and when nothing has, all count the same, so that the path with most steps is the longest.
 */
function criticalPaths({graph, plan, store}: Planned): readonly number[] {
  const {instances: predicted} = predictTime(graph, plan, store, 1);
  const known = predicted.filter((seconds) => seconds !== undefined && seconds > 0);
  const mean = known.reduce<number>((sum, seconds) => sum + (seconds ?? 0), 0) / known.length;
  const unknown = known.length > 0 ? mean : 1;
  const paths: number[] = graph.instances.map(() => 0);
  for (const {index} of graph.instances.toReversed()) {
    let below = 0;
    for (const consumer of graph.consumers[index] ?? []) below = Math.max(below, paths[consumer] ?? 0);
    paths[index] = below + (predicted[index] ?? unknown);
  }
  return paths;
}
