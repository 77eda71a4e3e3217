import type {Graph} from '../graph/graph.ts';
import type {Plan} from '../plan/verdict.ts';
import type {StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import type {RunEvent, RunTotals} from './event.ts';
import type {Machine} from './ledger.ts';
import type {WorkerPool} from './worker-pool.ts';

/** What a failure does to the rest: `finish-running` starts nothing new, `keep-going` runs what can do without it. */
export type OnFailure = 'finish-running' | 'keep-going' | 'fail-fast';

export interface RunOptions {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly store: Store;
  /** Id of the set-up; any text when no stage computes with tensors. */
  readonly numerics: string;
  readonly pool: Pick<WorkerPool, 'run' | 'stop'>;
  /** How many jobs run side by side. */
  readonly jobs: number;
  /** What instances that say what they need are given. */
  readonly machine: Machine;
  readonly onFailure: OnFailure;
  /** Indices of the instances wanted; what they need is run too. Absent: all. */
  readonly wanted: ReadonlySet<number>;
  /** Aborted by the first Ctrl-C: nothing new starts, what runs stops at its next step. */
  readonly stop: AbortSignal;
  emit(event: RunEvent): void;
}

export interface RunResult {
  readonly totals: RunTotals;
  readonly interrupted: boolean;
  /** By instance index; absent where the instance did not end well. */
  readonly records: readonly (StoreRecord | undefined)[];
  /** By instance index: the points that are lost, and that it, or something that it is made of, would have gathered. */
  readonly without: ReadonlyMap<number, readonly number[]>;
}
