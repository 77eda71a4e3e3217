import type {Key} from '../base/digest.ts';
import {filesRead} from '../plan/reads.ts';
import type {Plan} from '../plan/verdict.ts';
import type {StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import type {RunOptions} from './run-options.ts';

/** Not finished yet: later than every job. */
const STILL_TO_COME = Number.POSITIVE_INFINITY;

/**
 * What a run computes although it has a record: the user wants it, a payload that is needed is gone, or one was found damaged. Such a result is of
 * use only once it was made again, and then for everybody who has its key.
 */
export class Remakes {
  readonly #plan: Plan;
  readonly #store: Pick<Store, 'hasBlob' | 'forget'>;
  /** No record serves these. */
  readonly #forced = new Set<number>();
  /** A record serves these when its payloads are there. */
  readonly #needed = new Set<number>();
  /** Of what was taken back because a payload was gone or damaged, the first job that started after it had ended again. */
  readonly #madeAnew = new Map<number, number>();
  /** What was computed in this run, for whomever: a record of these is no older than the user's wish. */
  readonly #keys = new Set<Key>();
  /** Whose damaged record is removed: the next one under such a key is made in this run, and made once that has ended. */
  readonly #forgotten = new Map<Key, Promise<void>>();

  constructor({plan, store}: Pick<RunOptions, 'plan' | 'store'>) {
    this.#plan = plan;
    this.#store = store;
    for (const {instance, reason} of plan.instances) {
      if (reason.why === 'forced') this.#forced.add(instance.index);
      if (reason.why === 'payload-missing') this.#needed.add(instance.index);
    }
  }

  /** A record, if it may serve the instance. */
  usable(index: number, record: StoreRecord | undefined): StoreRecord | undefined {
    if (record === undefined || (this.#forced.has(index) && !this.#keys.has(record.key))) return undefined;
    return this.#needed.has(index) && !this.#isWhole(record) ? undefined : record;
  }

  /** Whether a file that a record names is read when the run has ended, and gone. */
  lacksRead(index: number, record: StoreRecord): boolean {
    return filesRead(this.#plan.reads, index, record).some(
      ({output}) => !this.#store.hasBlob(output.digest, output.bytes),
    );
  }

  /** Whether the plan's record of a key may have been replaced since. */
  hasMade(key: Key): boolean {
    return this.#keys.has(key);
  }

  #isWhole({outputs}: StoreRecord): boolean {
    return Object.values(outputs).every(({digest, bytes}) => this.#store.hasBlob(digest, bytes));
  }

  /** Notes that an instance that had ended has to run again; false when it was begun before. */
  begin(index: number, why: 'gone' | 'damaged'): boolean {
    if (this.#madeAnew.has(index)) return false;
    this.#madeAnew.set(index, STILL_TO_COME);
    (why === 'gone' ? this.#needed : this.#forced).add(index);
    return true;
  }

  /** Removes the record of a damaged result; once for a key, also where several instances have it and find the damage at once. */
  forget(key: Key): Promise<void> {
    const begun =
      this.#forgotten.get(key) ?? this.#store.forget(key, 'a payload was missing or damaged when it was read');
    this.#forgotten.set(key, begun);
    return begun;
  }

  hasBegun(index: number): boolean {
    return this.#madeAnew.has(index);
  }

  /** Whether a job that could not read what an instance gave had started after that was made anew. */
  isHopeless(index: number, job: number): boolean {
    return job >= (this.#madeAnew.get(index) ?? STILL_TO_COME);
  }

  /** Notes that an instance has ended well before a job of that number; true when it was computed although there was a record. */
  end(index: number, key: Key, hasRun: boolean, nextJob: number): boolean {
    const wasForced = this.#forced.delete(index);
    const wasNeeded = this.#needed.delete(index);
    if (this.#madeAnew.has(index)) this.#madeAnew.set(index, nextJob);
    const isRemade = hasRun && (wasForced || wasNeeded);
    if (hasRun) this.#keys.add(key);
    return isRemade;
  }
}
