import type {Digest, Key} from '../base/digest.ts';
import {UserError} from '../base/user-error.ts';
import type {Instance} from '../graph/graph.ts';
import type {PlannedInstance} from '../plan/verdict.ts';
import type {DraftOutput} from '../store/publish.ts';
import type {StoreRecord} from '../store/record.ts';
import {Admission} from './admission.ts';
import {packJobs} from './batches.ts';
import {type ComputedJob, computeJob} from './compute-job.ts';
import {EqualWork} from './equal-work.ts';
import type {Failure, GoodOutcome} from './event.ts';
import {failureOfEnd, failureOfError, stuckFailure, unresolvedFailure} from './failure.ts';
import {InstanceKeys} from './instance-keys.ts';
import {InstanceStates} from './instance-states.ts';
import {jobInputs, producersOf} from './job-inputs.ts';
import {demandOf, type Holding} from './ledger.ts';
import {LostPoints} from './lost-points.ts';
import {Priorities} from './priorities.ts';
import {RememberedKeys} from './remembered-keys.ts';
import {Retries} from './retries.ts';
import type {RunOptions, RunResult} from './run-options.ts';
import {underLeases} from './under-leases.ts';
import type {PointCost} from './worker-pool.ts';

/** Runs what a plan says, and only that; every wanted instance ends in exactly one outcome. */
export const runPlan = (options: RunOptions): Promise<RunResult> => new Run(options).toEnd();

class Run {
  readonly #options: RunOptions;
  readonly #states: InstanceStates;
  readonly #lost: LostPoints;
  readonly #admission: Admission;
  readonly #priorities: Priorities;
  /** Instances to be looked at: everything upstream of them has ended well. */
  readonly #work: number[] = [];
  readonly #equalWork = new EqualWork();
  readonly #keys: InstanceKeys;
  /** Have a record but must run: their payload is gone or damaged, or the user wants it. */
  readonly #forced = new Set<number>();
  /** Of what was taken back because a payload was damaged, the first job that started after it had ended again. */
  readonly #madeAnew = new Map<number, number>();
  readonly #retries: Retries;
  readonly #remembered: RememberedKeys;
  #admitting = true;
  #nextJob = 1;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#states = new InstanceStates(options.graph);
    this.#lost = new LostPoints(options.graph, this.#states);
    this.#keys = new InstanceKeys(this.#states, this.#lost, options.numerics);
    this.#retries = new Retries(options);
    this.#remembered = new RememberedKeys(options);
    this.#admission = new Admission(options.jobs, options.machine);
    this.#priorities = new Priorities(options);
    for (const {instance, reason} of options.plan.instances) {
      if (reason.why === 'payload-missing' || reason.why === 'forced') this.#forced.add(instance.index);
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
    await this.#admission.idle();
    stop.removeEventListener('abort', onStop);
    this.#remembered.close();
    for (const index of wanted) {
      if (this.#states.of(index) === 'waiting' || this.#states.of(index) === 'queued') this.#skip(index);
    }
    return {
      totals: this.#states.totals((performance.now() - started) / 1000),
      interrupted: stop.aborted,
      records: graph.instances.map(({index}) => this.#states.recordOf(index)),
      without: this.#lost.without,
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
    this.#admission.start();
  }

  #enqueue(instances: readonly Instance[]): void {
    const [first] = instances;
    if (!first) return;
    this.#admission.add({
      demand: demandOf(first, this.#options.machine),
      priority: this.#priorities.of(first),
      order: first.index,
      // Nothing that a job can do wrong rejects; what does is a bug, and must not pass in silence.
      run: async (holding) => {
        await this.#runJob(instances, holding);
        this.#advance();
      },
      refuse: (lacking) => {
        if (!this.#admitting) return;
        for (const {index, id} of instances) this.#fail(index, stuckFailure(id, lacking), 0);
        this.#advance();
      },
    });
  }

  /** Ends an instance that a record serves; true when it has to be computed. */
  #mustRun(index: number): boolean {
    const planned = this.#planned(index);
    if (planned.reason.why === 'unresolved' || !planned.identity || !planned.located) {
      this.#fail(index, unresolvedFailure(planned), 0);
      return false;
    }
    const key = this.#keys.make(planned);
    const warning = this.#lost.warning(planned.instance);
    if (warning) this.#options.emit({event: 'warning', message: warning});
    const served =
      this.#forced.has(index) || this.#equalWork.isClaimed(key) ? undefined : this.#recordFor(planned, key);
    if (served) {
      this.#succeed(index, planned.verdict === 'cached' ? 'cached' : 'cut-off', served);
      return false;
    }
    if (this.#equalWork.claim(key, index)) return true;
    this.#states.set(index, 'queued');
    return false;
  }

  #recordFor(planned: PlannedInstance, key: Key): StoreRecord | undefined {
    return planned.record?.key === key ? planned.record : this.#options.store.records([key]).get(key);
  }

  /** Computes some instances under the leases of their keys, but for those that another driver computed meanwhile. */
  async #runJob(instances: readonly Instance[], holding: Holding): Promise<void> {
    const {stop} = this.#options;
    if (!this.#admitting) return;
    const keys = instances.map(({index}) => this.#keys.of(index));
    try {
      const computed = await underLeases(this.#options, instances, keys, () =>
        this.#compute(this.#stillMissing(instances, keys), holding),
      );
      if (computed && computed.left.length > 0) await this.#settle(computed);
    } catch (error) {
      if (stop.aborted && (error === stop.reason || (error instanceof Error && error.name === 'AbortError'))) return;
      if (!(error instanceof UserError)) throw error;
      for (const {index} of instances) if (!this.#states.endedWell(index)) this.#fail(index, failureOfError(error), 0);
    }
  }

  #stillMissing(instances: readonly Instance[], keys: readonly Key[]): readonly Instance[] {
    const done = this.#options.store.records(keys);
    return instances.filter(({index}) => {
      const record = this.#forced.has(index) ? undefined : done.get(this.#keys.of(index));
      if (record) this.#succeed(index, 'cached', record);
      return !record;
    });
  }

  async #compute(instances: readonly Instance[], holding: Holding): Promise<ComputedJob | undefined> {
    const [first] = instances;
    if (!first) return undefined;
    for (const {index} of instances) this.#states.set(index, 'running');
    const job = {id: this.#nextJob++, inputs: jobInputs(this.#lost.present(first), this.#keys.outputsOf)};
    const planned = instances.map(({index}) => this.#planned(index));
    const computed = await computeJob(job, planned, {
      ...this.#options,
      place: {gpus: holding.gpus, threads: first.resources.threads},
      keyOf: ({index}) => this.#keys.of(index),
      publish: (instance, outputs, cost) => this.#publish(instance, outputs, cost),
    });
    const [only, ...others] = computed.left;
    if (!only || others.length > 0 || !this.#retries.take(only, computed.end)) return computed;
    return this.#compute([only], holding);
  }

  async #publish(
    instance: Instance,
    outputs: Readonly<Record<string, DraftOutput>>,
    {seconds, peakMemory}: PointCost,
  ): Promise<void> {
    const {store} = this.#options;
    const {index} = instance;
    const preimage = this.#keys.preimageOf(this.#planned(index));
    try {
      const replace = this.#planned(index).reason.why === 'forced';
      const record = await store.publish({key: this.#keys.of(index), preimage, outputs, seconds, replace});
      this.#succeed(index, 'ran', record, {seconds, peakMemory});
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#fail(index, failureOfError(error), seconds);
    }
    this.#advance();
  }

  /** What becomes of instances whose job ended without giving their outputs. */
  async #settle({id, end, left, seconds}: ComputedJob): Promise<void> {
    if (end.end === 'failed' && end.why === 'damaged-inputs') return this.#recompute(id, left, new Set(end.digests));
    const stopped = end.end === 'failed' ? end.why === 'stopped' : end.end === 'died' && this.#options.stop.aborted;
    for (const instance of left) {
      if (stopped) this.#skip(instance.index);
      else if (left.length === 1) this.#fail(instance.index, failureOfEnd(end), seconds);
      else {
        // One point of many brought the job down, and nothing says which: each is tried by itself, so that it fails alone.
        this.#states.set(instance.index, 'queued');
        this.#enqueue([instance]);
      }
    }
  }

  /** Damaged or missing payloads become misses: who made them runs again, and these instances after it. */
  async #recompute(job: number, left: readonly Instance[], damaged: ReadonlySet<Digest>): Promise<void> {
    const {store, emit} = this.#options;
    for (const instance of left) {
      for (const equal of this.#equalWork.release(this.#keys.of(instance.index))) this.#lookAgain(equal);
      const producers = producersOf(this.#lost.present(instance), this.#keys.outputsOf, damaged);
      const hopeless = producers.some((producer) => job >= (this.#madeAnew.get(producer) ?? Number.POSITIVE_INFINITY));
      if (hopeless || producers.length === 0) {
        this.#fail(instance.index, {message: `A stored input of ${instance.id} cannot be read back.`}, 0);
        continue;
      }
      for (const producer of producers) {
        // another consumer found it first: it is on its way, or was made anew after this job had read the old one
        if (!this.#states.endedWell(producer) || this.#madeAnew.has(producer)) continue;
        this.#madeAnew.set(producer, Number.POSITIVE_INFINITY);
        this.#forced.add(producer);
        this.#states.revive(producer); // before anything is awaited: the next consumer that finds the damage must see it
        emit({
          event: 'warning',
          message: `A stored output of ${this.#instance(producer).id} is missing or damaged; it is computed again.`,
        });
        await store.forget(this.#keys.of(producer), 'a payload was missing or damaged when it was read');
        this.#work.push(producer);
      }
      this.#lookAgain(instance.index);
    }
  }

  #lookAgain(index: number): void {
    this.#states.waitAgain(index);
    this.#work.push(index);
  }

  #succeed(index: number, outcome: GoodOutcome, record: StoreRecord, cost: Partial<PointCost> = {}): void {
    const {emit} = this.#options;
    const {id} = this.#instance(index);
    this.#forced.delete(index);
    if (outcome === 'ran' && this.#madeAnew.has(index)) this.#madeAnew.set(index, this.#nextJob);
    this.#work.push(...this.#states.succeed(index, outcome, record));
    this.#remembered.note({instance: id, key: record.key}, outcome === 'ran');
    emit({event: 'instance-finished', id, outcome, seconds: 0, ...cost});
    for (const equal of this.#equalWork.release(record.key)) this.#succeed(equal, 'cached', record);
  }

  #fail(index: number, failure: Failure, seconds: number): void {
    const {emit, onFailure, pool} = this.#options;
    this.#states.set(index, 'failed');
    emit({event: 'instance-finished', id: this.#instance(index).id, outcome: 'failed', seconds, failure});
    if (onFailure === 'keep-going') this.#work.push(...this.#lost.spread(index, (below) => this.#skip(below)));
    else {
      for (const below of this.#states.unfinishedBelow(index)) this.#skip(below);
      this.#admitting = false;
    }
    if (onFailure === 'fail-fast') pool.stop();
    for (const equal of this.#equalWork.release(this.#keys.find(index))) this.#fail(equal, failure, 0);
  }

  /** False for what is no part of this run. */
  #skip(index: number): boolean {
    if (!this.#options.wanted.has(index)) return false;
    this.#states.set(index, 'skipped');
    const {id} = this.#instance(index);
    this.#options.emit({event: 'instance-finished', id, outcome: 'skipped', seconds: 0});
    return true;
  }

  #instance(index: number): Instance {
    return this.#planned(index).instance;
  }

  #planned(index: number): PlannedInstance {
    const planned = this.#options.plan.instances[index];
    if (!planned) throw new Error(`Internal error: there is no instance ${index}`);
    return planned;
  }
}
