import type {Instance} from '../graph/graph.ts';
import type {RunOptions} from './run-options.ts';
import type {JobEnd} from './worker-pool.ts';

/**
 * How often instances have lost their worker. Another one may live, and begins at the checkpoint; a stage that failed would fail
 * again, so that is not tried.
 */
export class Retries {
  readonly #options: Pick<RunOptions, 'emit' | 'stop'>;
  readonly #deaths = new Map<number, number>();

  constructor(options: Pick<RunOptions, 'emit' | 'stop'>) {
    this.#options = options;
  }

  /** Whether an instance that ended so is tried again, which is told. */
  take({index, id, retries}: Instance, end: JobEnd): boolean {
    if (end.end !== 'died' || this.#options.stop.aborted) return false;
    const deaths = (this.#deaths.get(index) ?? 0) + 1;
    this.#deaths.set(index, deaths);
    if (deaths > retries) return false;
    const message = `The worker process of ${id} ended with ${end.how}; it is tried again (${deaths} of ${retries}).`;
    this.#options.emit({event: 'warning', message});
    return true;
  }
}
