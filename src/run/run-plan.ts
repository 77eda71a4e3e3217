import type {Digest, Key} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';
import type {Instance} from '../graph/graph.ts';
import {type PlannedInstance, plannedAt} from '../plan/verdict.ts';
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
import {MutexTurns} from './mutex-turns.ts';
import {Priorities} from './priorities.ts';
import {Remakes} from './remakes.ts';
import {RememberedKeys} from './remembered-keys.ts';
import {Retries} from './retries.ts';
import type {RunOptions, RunResult} from './run-options.ts';
import {SecondResults} from './second-results.ts';
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
  readonly #remakes: Remakes;
  readonly #second: SecondResults;
  readonly #retries: Retries;
  readonly #remembered: RememberedKeys;
  readonly #turns: MutexTurns;
  #admitting = true;
  #nextJob = 1;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#states = new InstanceStates(options.graph);
    this.#lost = new LostPoints(options.graph, this.#states);
    this.#keys = new InstanceKeys(this.#states, this.#lost, options.plan, options.numerics);
    this.#retries = new Retries(options);
    this.#remembered = new RememberedKeys(options);
    this.#turns = new MutexTurns(options.store);
    this.#admission = new Admission(options.jobs, options.machine);
    this.#priorities = new Priorities(options);
    this.#remakes = new Remakes(options);
    this.#second = new SecondResults({
      ...{options, states: this.#states, lost: this.#lost, keys: this.#keys, remakes: this.#remakes},
      ...{equalWork: this.#equalWork, work: this.#work},
    });
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
    do {
      this.#advance();
      await this.#admission.idle();
    } while (this.#admitting && (await this.#second.makeUnreadable(this.#failFor)));
    stop.removeEventListener('abort', onStop);
    this.#remembered.close();
    for (const index of wanted) {
      if (this.#states.of(index) === 'waiting' || this.#states.of(index) === 'queued') this.#skip(index);
    }
    return {
      totals: this.#states.totals((performance.now() - started) / 1000),
      interrupted: stop.aborted,
      records: graph.instances.map(({index}) => this.#states.resultOf(index)),
      without: this.#lost.without(),
    };
  }

  /** Looks at everything that is ready, then hands what must run to the queue. */
  #advance(): void {
    const toRun: Instance[] = [];
    for (let index = this.#work.pop(); index !== undefined; index = this.#work.pop()) {
      if (!this.#options.wanted.has(index) || !this.#states.isReady(index)) continue;
      try {
        if (!this.#mustRun(index)) continue;
        this.#states.set(index, 'queued');
        toRun.push(this.#instance(index));
      } catch (error) {
        this.#failFor(index, error); // a part of the store cannot be read: the others need not that one
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
      run: (holding, attempt) => this.#runJob(instances, holding, attempt === 0).finally(() => this.#advance()),
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
    if (!this.#equalWork.isClaimed(key)) {
      const served = this.#second.recordFor(planned, key);
      if (served) {
        this.#succeed(index, planned.key === key ? 'cached' : 'cut-off', served);
        return false;
      }
      const failure = this.#equalWork.failureOf(key, planned.instance);
      if (failure) this.#fail(index, failure, 0);
      if (failure || this.#second.makeMissingInputs(planned.instance)) return false;
      this.#second.tellUnplanned(planned);
    }
    if (this.#equalWork.claim(key, index)) return true;
    this.#states.set(index, 'queued');
    return false;
  }

  /** Computes some instances under the leases of their keys, but for those that another driver computed meanwhile. */
  async #runJob(instances: readonly Instance[], holding: Holding, isFirst: boolean): Promise<'done' | 'busy'> {
    const keys = instances.map(({index}) => this.#keys.of(index));
    try {
      if (!this.#admitting) return 'done';
      const computed = await underLeases({...this.#options, turns: this.#turns}, instances, keys, isFirst, async () =>
        this.#admitting ? this.#compute(this.#stillMissing(instances, keys), holding) : undefined,
      );
      if (computed === 'busy') return 'busy';
      if (computed && computed.left.length > 0) await this.#settle(computed);
    } catch (error) {
      const failure = failureOfError(error);
      for (const {index} of instances) if (!this.#states.endedWell(index)) this.#fail(index, failure, 0);
    }
    return 'done';
  }

  #stillMissing(instances: readonly Instance[], keys: readonly Key[]): readonly Instance[] {
    const done = this.#options.store.records(keys);
    return instances.filter(({index}) => {
      if (this.#second.tookBackStale(index)) return false;
      const record = this.#remakes.usable(index, done.get(this.#keys.of(index)));
      if (record) this.#succeed(index, 'cached', record);
      return !record;
    });
  }

  async #compute(queued: readonly Instance[], holding: Holding, isFirst = false): Promise<ComputedJob | undefined> {
    const instances = queued.filter((instance) => !this.#second.tookBackStale(instance.index));
    const [first] = instances;
    if (!first) return undefined;
    for (const {index} of instances) this.#states.set(index, 'running');
    const job = {id: this.#nextJob++, inputs: jobInputs(this.#lost.present(first), this.#keys.outputsOf)};
    const planned = instances.map(({index}) => this.#second.withReason(this.#planned(index)));
    // What it is handed now and what its record says are the same, whatever is made again meanwhile.
    const preimages = new Map(planned.map((one) => [one.instance, this.#keys.preimageOf(one)]));
    const computed = await computeJob(job, planned, {
      ...this.#options,
      ...{place: {gpus: holding.gpus, threads: first.resources.threads}, isFirst},
      keyOf: ({index}) => this.#keys.of(index),
      publish: (instance, outputs, cost) => this.#publish(instance, preimages.get(instance) ?? {}, outputs, cost),
    });
    const {left, end} = computed;
    return this.#retries.take(computed, this.#admitting) ? this.#compute(left, holding, end.end === 'broke') : computed;
  }

  async #publish(
    instance: Instance,
    preimage: JsonObject,
    outputs: Readonly<Record<string, DraftOutput>>,
    {seconds, peakMemory}: PointCost,
  ): Promise<void> {
    const {store} = this.#options;
    const {index} = instance;
    try {
      const replace = this.#planned(index).reason.why === 'forced';
      const record = await store.publish({key: this.#keys.of(index), preimage, outputs, seconds, replace});
      if (!this.#second.tookBackStale(index)) this.#succeed(index, 'ran', record, {seconds, peakMemory});
    } catch (error) {
      this.#fail(index, failureOfError(error), seconds);
    }
    this.#advance();
  }

  /** What becomes of instances whose job ended without giving their outputs. */
  async #settle({id, end, left, seconds}: ComputedJob): Promise<void> {
    if (end.end === 'failed' && end.why === 'damaged-inputs') return this.#recompute(id, left, new Set(end.digests));
    const isLost = end.end === 'died' || end.end === 'broke';
    const stopped = end.end === 'failed' ? end.why === 'stopped' : isLost && this.#options.stop.aborted;
    for (const instance of left) {
      if (stopped) this.#skip(instance.index);
      else if (this.#second.tookBackStale(instance.index)) continue;
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
    for (const instance of left) {
      if (this.#second.tookBackStale(instance.index)) continue;
      this.#second.releaseEqual(instance.index);
      const producers = producersOf(this.#lost.present(instance), this.#keys.outputsOf, ({digest}) =>
        damaged.has(digest),
      );
      if (producers.length === 0 || producers.some((producer) => this.#remakes.isHopeless(producer, job))) {
        this.#fail(instance.index, {message: `A stored input of ${instance.id} cannot be read back.`}, 0);
        continue;
      }
      this.#second.lookAgain(instance.index);
      for (const producer of producers) {
        // another consumer found it first: it is on its way, or was made anew after this job had read the old one
        if (!this.#states.endedWell(producer) || !this.#remakes.begin(producer, 'damaged')) continue;
        await this.#second.makeDamagedAgain(producer, this.#failFor);
      }
    }
  }

  #succeed(index: number, outcome: GoodOutcome, record: StoreRecord, cost: Partial<PointCost> = {}): void {
    const {emit} = this.#options;
    const {id} = this.#instance(index);
    const isRemade = this.#remakes.end(index, record.key, outcome === 'ran', this.#nextJob);
    const before = this.#states.recordOf(index);
    this.#work.push(...this.#states.succeed(index, outcome, record));
    this.#remembered.note({instance: id, key: record.key}, outcome === 'ran');
    emit({event: 'instance-finished', id, outcome, seconds: 0, ...cost});
    this.#second.spread(index, record, before, isRemade);
    for (const equal of this.#equalWork.release(record.key))
      if (!this.#second.tookBackStale(equal)) this.#succeed(equal, 'cached', record);
  }

  readonly #failFor = (index: number, error: unknown): void => this.#fail(index, failureOfError(error), 0);

  #fail(index: number, failure: Failure, seconds: number): void {
    const {emit, onFailure, pool} = this.#options;
    const instance = this.#instance(index);
    this.#second.beforeFailure(index);
    this.#states.set(index, 'failed');
    emit({event: 'instance-finished', id: instance.id, outcome: 'failed', seconds, failure});
    if (onFailure === 'keep-going') this.#work.push(...this.#lost.spread(index, (below) => this.#skip(below)));
    else {
      for (const below of this.#states.unfinishedBelow(index)) this.#skip(below);
      this.#admitting = false;
    }
    if (onFailure === 'fail-fast') pool.stop();
    for (const equal of this.#equalWork.fail(this.#keys.find(index), instance, failure)) this.#second.lookAgain(equal);
  }

  /** False for what is no part of this run. */
  #skip(index: number): boolean {
    if (!this.#options.wanted.has(index)) return false;
    this.#states.set(index, 'skipped');
    const {id} = this.#instance(index);
    this.#options.emit({event: 'instance-finished', id, outcome: 'skipped', seconds: 0});
    return true;
  }

  readonly #instance = (index: number): Instance => this.#planned(index).instance;
  readonly #planned = (index: number): PlannedInstance => plannedAt(this.#options.plan, index);
}
