import type {InstanceId} from '../graph/graph.ts';
import type {Reason, Verdict} from '../plan/verdict.ts';
import type {Progress} from '../stage/define-stage.ts';

/** How an instance ended. `skipped`: not started, because something upstream failed or the run was stopped. */
export type Outcome = 'ran' | 'cached' | 'cut-off' | 'failed' | 'skipped';

export type GoodOutcome = Exclude<Outcome, 'failed' | 'skipped'>;

export interface Failure {
  readonly message: string;
  readonly hint?: string;
  /** The last lines the worker wrote, when it died or threw something of ours. */
  readonly logTail?: readonly string[];
}

/** Everything that can happen in a run; reporters only read it. */
export type RunEvent =
  | {
      readonly event: 'run-started';
      readonly pipeline: string;
      readonly instances: number;
      readonly verdicts: Readonly<Record<Verdict, number>>;
    }
  /** One line on what backend runs and why a faster one does not. */
  | {readonly event: 'backend'; readonly name: string; readonly line: string}
  | {readonly event: 'instance-started'; readonly id: InstanceId; readonly reason: Reason; readonly text: string}
  | ({readonly event: 'instance-progress'; readonly id: InstanceId} & Progress)
  | {
      readonly event: 'instance-finished';
      readonly id: InstanceId;
      readonly outcome: Outcome;
      readonly seconds: number;
      /** Of an instance that ran: largest resident memory of its worker, in MiB. */
      readonly peakMemory?: number;
      readonly failure?: Failure;
    }
  | {readonly event: 'log'; readonly id: InstanceId; readonly line: string}
  | {readonly event: 'warning'; readonly message: string}
  | {
      readonly event: 'expectation';
      readonly of: string;
      readonly where: string | null;
      readonly that: string;
      readonly met: boolean;
      readonly detail: string;
    }
  | ({readonly event: 'run-finished'} & RunTotals);

export interface RunTotals {
  readonly ran: number;
  readonly cached: number;
  readonly cutOff: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}
