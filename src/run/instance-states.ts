import type {Graph} from '../graph/graph.ts';
import {upstreamOf} from '../plan/generations.ts';
import type {StoreRecord} from '../store/record.ts';
import type {GoodOutcome, Outcome, RunTotals} from './event.ts';

/** `waiting`: for upstream or for its turn to be looked at · `queued`: in a job that has not started. */
export type State = 'waiting' | 'queued' | 'running' | Outcome;

const isGood = (state: State | undefined): boolean => state === 'ran' || state === 'cached' || state === 'cut-off';

/**
 * Where every instance stands, and how many upstream instances each still waits for.
 * Invariant: for an instance that is `waiting`, `#pending` is the number of distinct upstream instances that have neither
 * ended well nor are lost, also after a cached one was found damaged and has to run again.
 */
export class InstanceStates {
  readonly #graph: Graph;
  readonly #states: State[];
  readonly #pending: number[];
  readonly #records: (StoreRecord | undefined)[];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#states = graph.instances.map(() => 'waiting');
    this.#pending = graph.instances.map((instance) => upstreamOf(instance).length);
    this.#records = graph.instances.map(() => undefined);
  }

  of(index: number): State {
    const state = this.#states[index];
    if (state === undefined) throw new Error(`Internal error: there is no instance ${index}`);
    return state;
  }

  /** The last one, also of an instance that was taken back since. */
  recordOf(index: number): StoreRecord | undefined {
    return this.#records[index];
  }

  /** The record of an instance that has ended well. */
  resultOf(index: number): StoreRecord | undefined {
    return this.endedWell(index) ? this.#records[index] : undefined;
  }

  isReady(index: number): boolean {
    return this.of(index) === 'waiting' && this.#pending[index] === 0;
  }

  endedWell(index: number): boolean {
    return isGood(this.#states[index]);
  }

  /** It gives nothing in this run. What takes one artifact of it does not wait: it is skipped at once. */
  isLost(index: number): boolean {
    const state = this.#states[index];
    return state === 'failed' || state === 'skipped';
  }

  /** A waiting instance no longer waits for one that is lost; true when it waits for nothing more. */
  doWithout(index: number): boolean {
    const left = (this.#pending[index] ?? 0) - 1;
    this.#pending[index] = left;
    return left === 0;
  }

  set(index: number, state: State): void {
    this.#states[index] = state;
  }

  /** An instance ended well; gives the consumers that can now be looked at. */
  succeed(index: number, outcome: GoodOutcome, record: StoreRecord): readonly number[] {
    this.#states[index] = outcome;
    this.#records[index] = record;
    const ready: number[] = [];
    for (const consumer of this.#graph.consumers[index] ?? []) {
      if (this.#states[consumer] !== 'waiting') continue;
      const left = (this.#pending[consumer] ?? 0) - 1;
      this.#pending[consumer] = left;
      if (left === 0) ready.push(consumer);
    }
    return ready;
  }

  /** What an instance gave was made again by another with the same key. */
  setRecord(index: number, record: StoreRecord): void {
    this.#records[index] = record;
  }

  /** Takes back an instance that had ended well: a payload turned out to be gone or damaged, or what it takes was made again. */
  revive(index: number): void {
    for (const consumer of this.#graph.consumers[index] ?? []) {
      if (this.#states[consumer] === 'waiting') this.#pending[consumer] = (this.#pending[consumer] ?? 0) + 1;
    }
    this.waitAgain(index);
  }

  /** Sets an instance back to waiting for whatever of its upstream has not ended well. */
  waitAgain(index: number): void {
    const instance = this.#graph.instances[index];
    if (!instance) throw new Error(`Internal error: there is no instance ${index}`);
    this.#states[index] = 'waiting';
    this.#pending[index] = upstreamOf(instance).filter(
      (above) => !isGood(this.#states[above]) && !this.isLost(above),
    ).length;
  }

  /** Everything below an instance that has not ended, the instance itself left out. */
  unfinishedBelow(index: number): readonly number[] {
    const found = new Set<number>();
    const stack = [...(this.#graph.consumers[index] ?? [])];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (found.has(next) || this.#states[next] !== 'waiting') continue;
      found.add(next);
      stack.push(...(this.#graph.consumers[next] ?? []));
    }
    return [...found].sort((a, b) => a - b);
  }

  totals(seconds: number): RunTotals {
    return totalsOf(this.#states, seconds);
  }
}

/** How many ended in each way. */
export function totalsOf(states: readonly State[], seconds: number): RunTotals {
  const count = (outcome: Outcome): number => states.filter((state) => state === outcome).length;
  return {
    ran: count('ran'),
    cached: count('cached'),
    cutOff: count('cut-off'),
    failed: count('failed'),
    skipped: count('skipped'),
    seconds,
  };
}
