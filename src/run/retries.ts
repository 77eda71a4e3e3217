import type {Instance} from '../graph/graph.ts';
import type {RunOptions} from './run-options.ts';
import type {JobEnd} from './worker-pool.ts';

/**
 * How often instances have lost their worker, or their program has failed. Another worker may live, and begins at the checkpoint, and what a
 * program needs may be there the next time; a stage that failed would fail again, so that is not tried.
 */
export class Retries {
  readonly #options: Pick<RunOptions, 'emit' | 'stop'>;
  readonly #deaths = new Map<number, number>();

  constructor(options: Pick<RunOptions, 'emit' | 'stop'>) {
    this.#options = options;
  }

  /** Whether an instance that ended so is tried again, which is told. */
  take({index, id, retries}: Instance, end: JobEnd): boolean {
    const how = mayPass(end);
    if (how === undefined || this.#options.stop.aborted) return false;
    const deaths = (this.#deaths.get(index) ?? 0) + 1;
    this.#deaths.set(index, deaths);
    if (deaths > retries) return false;
    const message = `${how(id)}; it is tried again (${deaths} of ${retries}).`;
    this.#options.emit({event: 'warning', message});
    return true;
  }
}

/** What is said of an end that another attempt may better; nothing for other ends. */
function mayPass(end: JobEnd): ((id: string) => string) | undefined {
  if (end.end === 'died') return (id) => `The worker process of ${id} ended with ${end.how}`;
  if (end.end !== 'failed' || end.why !== 'stage-error' || !end.program) return undefined;
  return (id) => `${id} failed: ${end.message.replace(/\.$/, '')}`;
}
