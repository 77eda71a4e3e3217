import type {Instance} from '../graph/graph.ts';
import type {ComputedJob} from './compute-job.ts';
import type {Broken} from './protocol.ts';
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

  /**
   * Whether what a job that ended so has left is tried again, which is told.
   *
   * @param isAdmitting Whether the run starts anything more: where not, an attempt of its own that failed was the last. What another broke has not failed.
   */
  take({left, end}: Pick<ComputedJob, 'left' | 'end'>, isAdmitting: boolean): boolean {
    const [first, ...others] = left;
    if (!first || this.#options.stop.aborted) return false;
    const isOwn = end.end !== 'broke' || end.isOwn;
    if (isOwn && !isAdmitting) return false;
    const message = isOwn ? this.#oneMore(first, others, end) : brokenByAnother(left, end);
    if (message === undefined) return false;
    this.#options.emit({event: 'warning', message});
    return true;
  }

  #oneMore({index, id, retries}: Instance, others: readonly Instance[], end: JobEnd): string | undefined {
    const how = others.length === 0 ? mayPass(end) : undefined;
    if (how === undefined) return undefined;
    const deaths = (this.#deaths.get(index) ?? 0) + 1;
    this.#deaths.set(index, deaths);
    return deaths > retries ? undefined : `${how(id)}; it is tried again (${deaths} of ${retries}).`;
  }
}

/** None of it is the fault of these, and where they are the first they have nothing more to fear. */
function brokenByAnother(left: readonly Instance[], {stage, message}: Broken): string {
  const whose = stage === undefined ? 'another stage' : `the stage "${stage}"`;
  const which = left.length === 1 ? `${left[0]?.id}` : `${left[0]?.id} and ${left.length - 1} more`;
  const it = left.length === 1 ? 'it is' : 'they are';
  return `The worker of ${which} broke by what ${whose} had left running: ${message}; ${it} given to another. Have that stage await what it begins, or catch its errors.`;
}

/** What is said of an end that another attempt may better; nothing for other ends. */
function mayPass(end: JobEnd): ((id: string) => string) | undefined {
  if (end.end === 'died') return (id) => `The worker process of ${id} ended with ${end.how}`;
  if (end.end === 'broke')
    return (id) => `The worker process of ${id} ended with an error that nothing caught: ${end.message}`;
  if (end.end !== 'failed' || end.why !== 'stage-error' || !end.program) return undefined;
  return (id) => `${id} failed: ${end.message.replace(/\.$/, '')}`;
}
