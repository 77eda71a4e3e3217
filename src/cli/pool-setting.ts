import {availableParallelism} from 'node:os';
import {fileURLToPath} from 'node:url';
import type {Graph} from '../graph/graph.ts';
import type {Plan} from '../plan/verdict.ts';
import {widthOf} from '../plan/width.ts';
import type {PoolProfile} from '../run/worker-pool.ts';

const FEWEST_BESIDE_EACH_OTHER = 2;
const MOST_BESIDE_EACH_OTHER = 4;
const CORES_A_JOB = 4;

/**
 * How many instances run side by side: as `--jobs` says, else two on a small machine and one for each four cores on a large one, but no more
 * than could, since a worker's share of the threads is fixed and a lone stage should have them all.
 */
export const jobsFor = (
  {graph, plan}: {readonly graph: Graph; readonly plan: Plan},
  wanted: ReadonlySet<number>,
  asked: number | undefined,
): number => asked ?? Math.min(defaultJobs(), widthOf(graph, plan, wanted));

/** How many a machine of so many cores runs side by side where there is enough to run. */
export function defaultJobs(cores = availableParallelism()): number {
  if (cores < FEWEST_BESIDE_EACH_OTHER) return 1;
  return Math.min(MOST_BESIDE_EACH_OTHER, Math.max(FEWEST_BESIDE_EACH_OTHER, Math.floor(cores / CORES_A_JOB)));
}

/** Threads of a worker whose job asks for none of its own: workers share the cores evenly. */
export const threadsEach = (jobs: number, cores = availableParallelism()): number =>
  Math.max(1, Math.floor(cores / jobs));

/** The number of threads is fixed for the life of a worker, because it can move last bits. */
export const poolProfile = (backend: string, jobs: number): PoolProfile => ({
  script: fileURLToPath(new URL('./worker.ts', import.meta.url)),
  arguments: [backend],
  threads: threadsEach(jobs),
});
