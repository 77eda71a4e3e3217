import {availableParallelism} from 'node:os';
import {fileURLToPath} from 'node:url';
import type {PoolProfile} from '../run/worker-pool.ts';

const FEWEST_BESIDE_EACH_OTHER = 2;
const MOST_BESIDE_EACH_OTHER = 4;
const CORES_A_JOB = 4;

/** How many instances run side by side unless `--jobs` says: two on a small machine, one for each four cores on a large one. */
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
