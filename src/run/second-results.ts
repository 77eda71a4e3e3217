import type {Key} from '../base/digest.ts';
import {UserError} from '../base/user-error.ts';
import type {Instance, InstanceId} from '../graph/graph.ts';
import {upstreamOf} from '../plan/generations.ts';
import {filesRead} from '../plan/reads.ts';
import type {PlannedInstance, Reason} from '../plan/verdict.ts';
import {type OutputRecord, type StoreRecord, sameOutputs} from '../store/record.ts';
import type {EqualWork} from './equal-work.ts';
import type {InstanceKeys} from './instance-keys.ts';
import type {InstanceStates} from './instance-states.ts';
import {producersOf} from './job-inputs.ts';
import type {LostPoints} from './lost-points.ts';
import type {Remakes} from './remakes.ts';
import type {RunOptions} from './run-options.ts';

/** The parts of a run that this one keeps in agreement. */
interface RunState {
  readonly options: Pick<RunOptions, 'graph' | 'plan' | 'store' | 'emit'>;
  readonly states: InstanceStates;
  readonly lost: LostPoints;
  readonly keys: InstanceKeys;
  readonly remakes: Remakes;
  readonly equalWork: EqualWork;
  /** Instances to be looked at. */
  readonly work: number[];
}

/**
 * What becomes of a run in which something that had a result gets another. Whatever was made, or is about to be made, of the first one is looked at
 * again, so that at the end every instance has the result of what its upstream has now.
 */
export class SecondResults {
  readonly #run: RunState;
  /** Whether some instance has had two results in this run; nothing need be compared before. */
  #hasChanged = false;

  constructor(run: RunState) {
    this.#run = run;
  }

  /** The record that serves an instance. */
  recordFor(planned: PlannedInstance, key: Key): StoreRecord | undefined {
    const {remakes, options} = this.#run;
    const {instance, verdict} = planned;
    const isPlanned = planned.record?.key === key && !remakes.hasMade(key);
    const record = isPlanned ? planned.record : options.store.records([key]).get(key);
    const served = remakes.usable(instance.index, record);
    if (!served || !remakes.lacksRead(instance.index, served) || !remakes.begin(instance.index, 'gone')) return served;
    if (verdict === 'cached') this.#tellRemade(instance);
    return undefined;
  }

  /** Takes back who gave what an instance needs and the store no longer has; true when there is something to wait for. */
  makeMissingInputs(instance: Instance): boolean {
    const {states, lost, keys, remakes, options, work} = this.#run;
    const isMissing = ({digest, bytes}: OutputRecord): boolean => !options.store.hasBlob(digest, bytes);
    const producers = producersOf(lost.present(instance), keys.outputsOf, isMissing).filter(
      (producer) => states.of(producer) !== 'ran' && remakes.begin(producer, 'gone'),
    );
    for (const producer of producers) {
      this.takeBack(producer, 'gone');
      work.push(producer);
    }
    if (producers.length > 0) this.lookAgain(instance.index);
    return producers.length > 0;
  }

  /** Takes back an instance that had ended well: it has to run again. */
  takeBack(index: number, why: 'gone' | 'damaged'): void {
    const planned = this.#planned(index);
    this.#run.states.revive(index);
    if (planned && (why === 'damaged' || planned.verdict === 'cached')) this.#tellRemade(planned.instance);
  }

  /** Removes the record of a result that was found damaged, and has it made anew; it fails where that cannot be removed. */
  async makeDamagedAgain(index: number, fail: (index: number, error: unknown) => void): Promise<void> {
    const {remakes, keys, work} = this.#run;
    this.takeBack(index, 'damaged'); // before anything is awaited: the next who finds the damage must see it
    try {
      await remakes.forget(keys.of(index));
      work.push(index);
    } catch (error) {
      fail(index, error);
    }
  }

  /**
   * Has made again what cannot be read although it is, when a run has ended, and what went with the whole store; true when there is something to look
   * at. What ran is as it was written, and of what can no more be made the reader tells.
   *
   * @param fail told of what was lost again after it was made again, and of what cannot be made again.
   */
  async makeUnreadable(fail: (index: number, error: unknown) => void): Promise<boolean> {
    const {options, states, remakes} = this.#run;
    const unreadable: number[] = [];
    for (const index of this.#gone()) {
      if (remakes.begin(index, 'damaged')) unreadable.push(index);
      else if (states.endedWell(index)) fail(index, this.#lostAgain(index));
    }
    for (const index of options.plan.reads.keys()) {
      const record = states.of(index) === 'ran' ? undefined : states.resultOf(index);
      for (const {output} of record ? filesRead(options.plan.reads, index, record) : []) {
        const state = await options.store.stateOfBlob(output.digest).catch(leftToReader);
        if (state === 'whole') continue;
        if (remakes.begin(index, 'damaged')) unreadable.push(index);
        break;
      }
    }
    await Promise.all(unreadable.map((index) => this.makeDamagedAgain(index, fail)));
    return unreadable.length > 0;
  }

  #lostAgain(index: number): UserError {
    const {graph, store} = this.#run.options;
    return new UserError(
      `The result of ${graph.instances[index]?.id} is gone: the cache at ${store.root} was removed or moved while this run worked on it, and once more since it was made again.`,
      'Run it again once nobody does that.',
    );
  }

  /** What has ended well and whose result is gone with the store. */
  #gone(): readonly number[] {
    const {options, states} = this.#run;
    try {
      if (!options.store.wasReplaced()) return [];
      const ended = options.graph.instances.flatMap(({index}) => {
        const record = states.resultOf(index);
        return record ? [{index, key: record.key}] : [];
      });
      const found = options.store.records(ended.map(({key}) => key));
      return ended.flatMap(({index, key}) => (found.has(key) ? [] : [index]));
    } catch (error) {
      leftToReader(error);
      return [];
    }
  }

  /** To be called before an instance fails that had ended well once in this run: all that was made of it waits again, and goes with it or without it. */
  beforeFailure(index: number): void {
    const {options, states} = this.#run;
    if (states.recordOf(index) === undefined) return;
    const stack = [index];
    for (let above = stack.pop(); above !== undefined; above = stack.pop()) {
      for (const consumer of options.graph.consumers[above] ?? []) {
        if (!states.endedWell(consumer)) continue;
        states.revive(consumer);
        stack.push(consumer);
      }
    }
  }

  /** Says that an instance runs although it was planned as cached, unless that was said when it was taken back. */
  tellUnplanned({instance, verdict}: PlannedInstance): void {
    if (verdict === 'cached' && !this.#run.remakes.hasBegun(instance.index))
      this.#warn(`${instance.id} was cached, but what it takes was made again; it is computed again too.`);
  }

  /** With why it runs, as far as that is known only now: of one that was planned as cached, and which of those above ran. */
  withReason(planned: PlannedInstance): PlannedInstance {
    const {states, remakes} = this.#run;
    const {instance, verdict, reason} = planned;
    const all = upstreamOf(instance);
    const ran = all.filter((above) => states.of(above) === 'ran');
    if (verdict !== 'cached') return {...planned, reason: withThoseThatRan(reason, this.#ids(ran))};
    const above = ran.length > 0 ? ran : all;
    if (remakes.hasBegun(instance.index) || above.length === 0) return {...planned, reason: {why: 'output-lost'}};
    return {...planned, reason: {why: 'upstream-remade', upstream: this.#ids(above)}};
  }

  /** Takes back an instance that waits in a queue, or was just computed, when what it takes was made again since; true when it was. */
  tookBackStale(index: number): boolean {
    const planned = this.#planned(index);
    if (!this.#hasChanged || !planned || !this.#run.keys.isStale(planned)) return false;
    this.releaseEqual(index);
    this.lookAgain(index);
    return true;
  }

  /** An instance gives up its claim to compute its key: those that waited for it are looked at again. */
  releaseEqual(index: number): void {
    for (const equal of this.#run.equalWork.release(this.#run.keys.of(index))) this.lookAgain(equal);
  }

  lookAgain(index: number): void {
    this.#run.states.waitAgain(index);
    this.#run.work.push(index);
  }

  /** To be called when an instance has ended well, with the record that it had before. */
  spread(index: number, record: StoreRecord, before: StoreRecord | undefined, isRemade: boolean): void {
    if (before && !sameOutputs(before, record)) this.#spreadChange(index);
    if (isRemade) this.#share(record);
  }

  #spreadChange(index: number): void {
    const {options, states, keys, work} = this.#run;
    this.#hasChanged = true;
    for (const consumer of options.graph.consumers[index] ?? []) {
      const planned = this.#planned(consumer);
      if (!planned || !states.endedWell(consumer) || !keys.isStale(planned)) continue;
      states.revive(consumer);
      work.push(consumer);
    }
  }

  /** What was made again is the result of all that have its key. */
  #share(record: StoreRecord): void {
    const {states, keys} = this.#run;
    for (const same of keys.withKey(record.key)) {
      const before = states.recordOf(same);
      if (!states.endedWell(same) || before === undefined || sameOutputs(before, record)) continue;
      states.setRecord(same, record);
      this.#spreadChange(same);
    }
  }

  #tellRemade({id}: Instance): void {
    this.#warn(`A stored output of ${id} is missing or damaged; it is computed again.`);
  }

  #ids(indices: readonly number[]): readonly InstanceId[] {
    return indices.flatMap((index) => this.#run.options.graph.instances[index]?.id ?? []);
  }

  #warn(message: string): void {
    this.#run.options.emit({event: 'warning', message});
  }

  #planned(index: number): PlannedInstance | undefined {
    return this.#run.options.plan.instances[index];
  }
}

/** Those above that were cut off are no reason any more. */
function withThoseThatRan(reason: Reason, upstream: readonly InstanceId[]): Reason {
  if (reason.why === 'upstream') return upstream.length === 0 ? reason : {...reason, upstream};
  if (reason.why !== 'changed' || !reason.upstream) return reason;
  const {why, changes} = reason;
  return upstream.length === 0 ? {why, changes} : {why, changes, upstream};
}

/** That it may not be read is no reason to compute it again. */
function leftToReader(error: unknown): 'whole' {
  if (error instanceof UserError) return 'whole';
  throw error;
}
