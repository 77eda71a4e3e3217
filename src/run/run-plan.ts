import PQueue from 'p-queue';
import type {Digest, Key} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';
import {UserError} from '../base/user-error.ts';
import type {Graph, Instance} from '../graph/graph.ts';
import {keyOfPreimage, preimageOf} from '../plan/key.ts';
import {reasonText} from '../plan/reason-text.ts';
import type {Plan, PlannedInstance} from '../plan/verdict.ts';
import type {DraftOutput} from '../store/publish.ts';
import type {OutputRecord, StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {packJobs} from './batches.ts';
import type {Failure, RunEvent, RunTotals} from './event.ts';
import {failureOfEnd, failureOfError} from './failure.ts';
import {InstanceStates} from './instance-states.ts';
import {jobInputs, producersOf} from './job-inputs.ts';

import type {JobEnd, WorkerPool} from './worker-pool.ts';

/** What a failure does to the rest: `finish-running` starts nothing new, `keep-going` runs what does not depend on it. */
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
}

/** Runs what a plan says, and only that; every wanted instance ends in exactly one outcome. */
export const runPlan = (options: RunOptions): Promise<RunResult> => new Run(options).toEnd();

class Run {
  readonly #options: RunOptions;
  readonly #states: InstanceStates;
  readonly #queue: PQueue;
  /** Instances to be looked at: everything upstream of them has ended well. */
  readonly #work: number[] = [];
  /** Equal work is done once: the instances that wait for another with the same key. */
  readonly #sameKey = new Map<Key, number[]>();
  readonly #keys = new Map<number, Key>();
  /** Have a record but must run: their payload is gone or damaged. */
  readonly #forced = new Set<number>();
  readonly #revived = new Set<number>();
  /** Noted at the end, in one go; what ran is noted at once. */
  readonly #remembered: {readonly instance: string; readonly key: Key}[] = [];
  #admitting = true;
  #nextJob = 1;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#states = new InstanceStates(options.graph);
    this.#queue = new PQueue({concurrency: options.jobs});
    for (const {instance, reason} of options.plan.instances) {
      if (reason.why === 'payload-missing') this.#forced.add(instance.index);
    }
  }

  async toEnd(): Promise<RunResult> {
    const {graph, stop, wanted, pool} = this.#options;
    const started = performance.now();
    const onStop = (): void => {
      this.#admitting = false;
      pool.stop();
    };
    stop.addEventListener('abort', onStop, {once: true});
    if (stop.aborted) this.#admitting = false;
    for (const {index} of graph.instances) {
      if (wanted.has(index) && this.#states.isReady(index)) this.#work.push(index);
    }
    this.#advance();
    await this.#queue.onIdle();
    stop.removeEventListener('abort', onStop);
    if (this.#remembered.length > 0) this.#options.store.remember(graph.name, this.#remembered);
    for (const index of wanted) {
      if (this.#states.of(index) === 'waiting' || this.#states.of(index) === 'queued') this.#skip(index);
    }
    return {
      totals: this.#states.totals((performance.now() - started) / 1000),
      interrupted: stop.aborted,
      records: graph.instances.map(({index}) => this.#states.recordOf(index)),
    };
  }

  /** Looks at everything that is ready, then hands what must run to the queue. */
  #advance(): void {
    const toRun: Instance[] = [];
    for (let index = this.#work.pop(); index !== undefined; index = this.#work.pop()) {
      if (this.#options.wanted.has(index) && this.#states.isReady(index) && this.#mustRun(index)) {
        this.#states.set(index, 'queued');
        toRun.push(this.#instance(index));
      }
    }
    toRun.sort((a, b) => a.index - b.index);
    for (const instances of packJobs(toRun, this.#options.jobs)) this.#enqueue(instances);
  }

  #enqueue(instances: readonly Instance[]): void {
    // Nothing that a job can do wrong rejects; what does is a bug, and must not pass in silence.
    void this.#queue.add(async () => {
      await this.#runJob(instances);
      this.#advance();
    });
  }

  /** Ends an instance that a record serves; true when it has to be computed. */
  #mustRun(index: number): boolean {
    const planned = this.#planned(index);
    if (planned.reason.why === 'unresolved' || !planned.identity || !planned.located) {
      this.#fail(index, unresolvedFailure(planned), 0);
      return false;
    }
    const key = planned.key ?? keyOfPreimage(this.#preimageOf(planned));
    this.#keys.set(index, key);
    const waiting = this.#sameKey.get(key);
    if (waiting) {
      waiting.push(index);
      this.#states.set(index, 'queued');
      return false;
    }
    const record = this.#forced.has(index) ? undefined : this.#recordFor(planned, key);
    if (record) {
      this.#succeed(index, planned.verdict === 'cached' ? 'cached' : 'cut-off', record, 0);
      return false;
    }
    this.#sameKey.set(key, []);
    return true;
  }

  #recordFor(planned: PlannedInstance, key: Key): StoreRecord | undefined {
    return planned.record?.key === key ? planned.record : this.#options.store.records([key]).get(key);
  }

  #preimageOf({instance, identity}: PlannedInstance): JsonObject {
    if (identity === undefined) throw new Error(`Internal error: ${instance.id} has no parameters yet`);
    return preimageOf({instance, identity}, this.#outputsOf, this.#options.numerics);
  }

  readonly #outputsOf = (index: number, artifact: string): OutputRecord => {
    const output = this.#states.recordOf(index)?.outputs[artifact];
    if (!output) throw new Error(`Internal error: instance ${index} has no "${artifact}" yet`);
    return output;
  };

  /** Computes some instances under the leases of their keys, but for those that another driver computed meanwhile. */
  async #runJob(instances: readonly Instance[]): Promise<void> {
    const {store, stop} = this.#options;
    if (!this.#admitting) return;
    const keys = instances.map(({index}) => this.#key(index)).sort(); // one order for all drivers, so that none waits in a ring
    const compute = async (): Promise<void> => {
      const done = store.records(keys);
      const left = instances.filter(({index}) => {
        const record = this.#forced.has(index) ? undefined : done.get(this.#key(index));
        if (record) this.#succeed(index, 'cached', record, 0);
        return !record;
      });
      await this.#compute(left);
    };
    const withLeases = keys.reduceRight<() => Promise<void>>(
      (work, key) => () => store.withLease(key, work, {signal: stop, waiting: () => this.#warnOfLease(instances)}),
      compute,
    );
    try {
      await withLeases();
    } catch (error) {
      if (stop.aborted && (error === stop.reason || (error instanceof Error && error.name === 'AbortError'))) return;
      if (!(error instanceof UserError)) throw error;
      for (const {index} of instances) if (!this.#states.endedWell(index)) this.#fail(index, failureOfError(error), 0);
    }
  }

  #warnOfLease([first]: readonly Instance[]): void {
    if (first) this.#options.emit({event: 'warning', message: `Another basin computes ${first.id}; waiting for it.`});
  }

  async #compute(instances: readonly Instance[]): Promise<void> {
    const {store, pool, emit} = this.#options;
    const [first] = instances;
    if (!first) return;
    const unstarted = [...instances];
    const unfinished = new Set(instances.map(({index}) => index));
    const startedAt = performance.now();
    let current = first;
    const start = (instance: Instance): void => {
      const at = unstarted.indexOf(instance);
      if (at < 0) return;
      unstarted.splice(at, 1);
      current = instance;
      const {reason} = this.#planned(instance.index);
      emit({event: 'instance-started', id: instance.id, reason, text: reasonText(reason)});
    };
    for (const {index} of instances) this.#states.set(index, 'running');
    start(first);
    const drafts = await Promise.all(instances.map(() => store.draftFolder()));
    const points = instances.map(({index}, i) => ({
      params: this.#planned(index).located ?? null,
      drafts: drafts[i] ?? '',
    }));
    const publishing: Promise<void>[] = [];
    const end = await pool.run(
      {
        id: this.#nextJob++,
        store: store.root,
        stage: first.stage.name,
        inputs: jobInputs(first, this.#outputsOf),
        points,
      },
      {
        progress: (progress) => emit({event: 'instance-progress', id: current.id, ...progress}),
        log: (line) => emit({event: 'log', id: current.id, line}),
        point: (at, outputs, seconds) => {
          const instance = instances[at];
          if (!instance) throw new Error(`Internal error: a worker gave point ${at} of ${instances.length}`);
          start(instance);
          if (unstarted[0]) start(unstarted[0]);
          unfinished.delete(instance.index);
          publishing.push(this.#publish(instance, outputs, seconds));
        },
      },
    );
    await Promise.all(publishing);
    await this.#settleUnfinished(instances, unfinished, end, (performance.now() - startedAt) / 1000);
  }

  async #publish(instance: Instance, outputs: Readonly<Record<string, DraftOutput>>, seconds: number): Promise<void> {
    const {store} = this.#options;
    const {index} = instance;
    const preimage = this.#preimageOf(this.#planned(index));
    try {
      this.#succeed(index, 'ran', await store.publish({key: this.#key(index), preimage, outputs, seconds}), seconds);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#fail(index, failureOfError(error), seconds);
    }
    this.#advance();
  }

  async #settleUnfinished(
    instances: readonly Instance[],
    unfinished: ReadonlySet<number>,
    end: JobEnd,
    seconds: number,
  ): Promise<void> {
    const left = instances.filter(({index}) => unfinished.has(index));
    if (left.length === 0) return;
    if (end.end === 'failed' && end.why === 'damaged-inputs') {
      return this.#recompute(left, new Set(end.digests));
    }
    if (end.end === 'failed' && end.why === 'stopped') {
      for (const {index} of left) this.#skip(index);
      return;
    }
    if (this.#options.stop.aborted && end.end === 'died') {
      for (const {index} of left) this.#skip(index);
      return;
    }
    if (left.length > 1) {
      // One point of many brought the job down, and nothing says which: each is tried by itself, so that it fails alone.
      for (const instance of left) {
        this.#states.set(instance.index, 'queued');
        this.#enqueue([instance]);
      }
      return;
    }
    for (const {index} of left) this.#fail(index, failureOfEnd(end), seconds);
  }

  /** Damaged or missing payloads become misses: who made them runs again, and these instances after it. */
  async #recompute(left: readonly Instance[], damaged: ReadonlySet<Digest>): Promise<void> {
    const {store, emit} = this.#options;
    for (const instance of left) {
      this.#sameKey.delete(this.#key(instance.index));
      const producers = producersOf(instance, this.#outputsOf, damaged);
      const hopeless = producers.find((producer) => this.#revived.has(producer) && this.#states.of(producer) === 'ran');
      if (hopeless !== undefined || producers.length === 0) {
        this.#fail(instance.index, {message: `A stored input of ${instance.id} cannot be read back.`}, 0);
        continue;
      }
      for (const producer of producers) {
        if (!this.#states.endedWell(producer)) continue; // another consumer found it first
        this.#revived.add(producer);
        this.#forced.add(producer);
        await store.forget(this.#key(producer), 'a payload was missing or damaged when it was read');
        emit({
          event: 'warning',
          message: `A stored output of ${this.#instance(producer).id} is missing or damaged; it is computed again.`,
        });
        this.#sameKey.delete(this.#key(producer));
        this.#states.revive(producer);
        this.#work.push(producer);
      }
      this.#states.waitAgain(instance.index);
      this.#work.push(instance.index);
    }
  }

  #succeed(index: number, outcome: 'ran' | 'cached' | 'cut-off', record: StoreRecord, seconds: number): void {
    const {emit, store, graph} = this.#options;
    const {id} = this.#instance(index);
    this.#forced.delete(index);
    this.#work.push(...this.#states.succeed(index, outcome, record));
    if (outcome === 'ran') store.remember(graph.name, [{instance: id, key: record.key}]);
    else this.#remembered.push({instance: id, key: record.key});
    emit({event: 'instance-finished', id, outcome, seconds});
    const equals = this.#sameKey.get(record.key) ?? [];
    this.#sameKey.delete(record.key);
    for (const equal of equals) this.#succeed(equal, 'cached', record, 0);
  }

  #fail(index: number, failure: Failure, seconds: number): void {
    const {emit, onFailure, pool} = this.#options;
    this.#states.set(index, 'failed');
    emit({event: 'instance-finished', id: this.#instance(index).id, outcome: 'failed', seconds, failure});
    const key = this.#keys.get(index);
    const equals = key === undefined ? [] : (this.#sameKey.get(key) ?? []);
    if (key !== undefined) this.#sameKey.delete(key);
    for (const below of this.#states.unfinishedBelow(index)) if (this.#options.wanted.has(below)) this.#skip(below);
    if (onFailure !== 'keep-going') this.#admitting = false;
    if (onFailure === 'fail-fast') pool.stop();
    for (const equal of equals) this.#fail(equal, failure, 0);
  }

  #skip(index: number): void {
    this.#states.set(index, 'skipped');
    this.#options.emit({
      event: 'instance-finished',
      id: this.#instance(index).id,
      outcome: 'skipped',
      seconds: 0,
    });
  }

  #instance(index: number): Instance {
    return this.#planned(index).instance;
  }

  #planned(index: number): PlannedInstance {
    const planned = this.#options.plan.instances[index];
    if (!planned) throw new Error(`Internal error: there is no instance ${index}`);
    return planned;
  }

  #key(index: number): Key {
    const key = this.#keys.get(index);
    if (key === undefined) throw new Error(`Internal error: instance ${index} has no key yet`);
    return key;
  }
}

function unresolvedFailure({reason, instance}: PlannedInstance): Failure {
  if (reason.why !== 'unresolved') throw new Error(`Internal error: ${instance.id} has no parameters but is resolved`);
  return {
    message: `The parameter "${reason.parameter}" cannot be resolved: ${reason.detail}`,
    ...(reason.hint !== undefined && {hint: reason.hint}),
  };
}
