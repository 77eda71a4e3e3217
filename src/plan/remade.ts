import type {Digest, Key} from '../base/digest.ts';
import type {Graph, Instance, InstanceId} from '../graph/graph.ts';
import type {StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {upstreamOf} from './generations.ts';
import type {PlannedInstance, Reason} from './verdict.ts';

/** How sure it is that an instance runs. */
type Likelihood = 'cached' | 'perhaps' | 'surely';
const RANK: Readonly<Record<Likelihood, number>> = {cached: 0, perhaps: 1, surely: 2};

/** What else is known of a plan's instances, by index. */
export interface Known {
  /** Of those that await upstream, the records that may come to serve. */
  readonly candidates: ReadonlyMap<number, readonly StoreRecord[]>;
  readonly forced: ReadonlySet<number>;
  /** Nothing else runs. */
  readonly wanted: ReadonlySet<number>;
}

/**
 * What follows from results that are made a second time: those whose payload is gone and needed, and those that the user forces. A cached
 * instance is made again when something that runs needs a payload of it that is gone, and then may need payloads itself; one whose consumers are
 * all cached is not. Who computes again may get other bytes, which are then the result of its key. So what is below it, and what has the
 * same key, is cached no longer, but `run-unless-cut-off`; and what it needs in turn is made again only if it comes to that.
 */
export function spreadRemade(
  graph: Graph,
  planned: readonly PlannedInstance[],
  known: Known,
  store: Pick<Store, 'hasBlob'>,
): readonly PlannedInstance[] {
  if (planned.every(({verdict}) => verdict === 'cached')) return planned;
  return new Remade(graph, planned, known, store).toEnd();
}

class Remade {
  readonly #graph: Graph;
  readonly #planned: readonly PlannedInstance[];
  readonly #known: Known;
  readonly #store: Pick<Store, 'hasBlob'>;
  readonly #likelihood: Likelihood[];
  readonly #reasons = new Map<number, Reason>();
  readonly #queue: number[] = [];
  readonly #missing = new Map<Digest, boolean>();
  #byKey: ReadonlyMap<Key, readonly number[]> | undefined;

  constructor(graph: Graph, planned: readonly PlannedInstance[], known: Known, store: Pick<Store, 'hasBlob'>) {
    this.#graph = graph;
    this.#planned = planned;
    this.#known = known;
    this.#store = store;
    this.#likelihood = planned.map(({verdict}) =>
      verdict === 'run' ? 'surely' : verdict === 'run-unless-cut-off' ? 'perhaps' : 'cached',
    );
  }

  toEnd(): readonly PlannedInstance[] {
    // From the last to the first, so that most is surely or not at all before anybody asks.
    for (const {index} of this.#graph.instances)
      if (this.#known.wanted.has(index) && this.#isRunning(index)) this.#queue.push(index);
    for (let index = this.#queue.pop(); index !== undefined; index = this.#queue.pop()) this.#spread(index);
    return this.#planned.map((one) => this.#result(one));
  }

  #spread(index: number): void {
    const planned = this.#planned[index];
    if (!planned) return;
    for (const consumer of this.#graph.consumers[index] ?? []) this.#raise(consumer, 'perhaps', undefined);
    if (this.#known.forced.has(index)) {
      const keys = planned.key === undefined ? this.#recordsOf(index).map(({key}) => key) : [planned.key];
      this.#remake(keys, planned.instance.id);
    }
    this.#requirePayloads(planned.instance);
  }

  /** Raises whose payload is gone among those that a running instance takes from. */
  #requirePayloads({index, inputs}: Instance): void {
    for (const binding of Object.values(inputs)) {
      for (const {from, artifact} of binding.many ? binding.members : [binding]) {
        const lacking = this.#recordsOf(from).filter(({outputs}) => this.#isMissing(outputs[artifact]));
        if (lacking.length === 0) continue;
        if (this.#planned[from]?.record !== undefined) {
          const isNeeded = this.#likelihood[index] === 'surely';
          if (isNeeded) this.#raise(from, 'surely', {why: 'payload-missing', artifact});
          else this.#raise(from, 'perhaps', {why: 'payload-perhaps-needed', artifact});
        }
        this.#remake(
          lacking.map(({key}) => key),
          this.#graph.instances[from]?.id,
        );
      }
    }
  }

  /** These keys may come to have other results. */
  #remake(keys: readonly Key[], by: InstanceId | undefined): void {
    if (by === undefined) return;
    for (const key of keys)
      for (const same of this.#withKey(key)) this.#raise(same, 'perhaps', {why: 'same-work', as: by});
  }

  #raise(index: number, to: Likelihood, reason: Reason | undefined): void {
    const now = this.#likelihood[index] ?? 'cached';
    if (!this.#known.wanted.has(index) || this.#planned[index]?.verdict === 'unresolved') return;
    if (RANK[now] >= RANK[to]) return;
    this.#likelihood[index] = to;
    if (reason) this.#reasons.set(index, reason);
    this.#queue.push(index);
  }

  #result(planned: PlannedInstance): PlannedInstance {
    const {instance, verdict, record} = planned;
    const running = upstreamOf(instance).filter((index) => this.#isRunning(index));
    // Its key is not known before those have run.
    const settled = running.length === 0 ? planned : {...planned, key: undefined};
    if (verdict !== 'cached' || record === undefined || !this.#isRunning(instance.index)) return settled;
    const upstream = running.flatMap((index) => this.#graph.instances[index]?.id ?? []);
    return {
      ...settled,
      verdict: this.#likelihood[instance.index] === 'surely' ? 'run' : 'run-unless-cut-off',
      reason: this.#reasons.get(instance.index) ?? {why: 'upstream-remade', upstream},
      record: undefined,
    };
  }

  #isRunning(index: number): boolean {
    return (this.#likelihood[index] ?? 'cached') !== 'cached';
  }

  /** What may serve an instance. */
  #recordsOf(index: number): readonly StoreRecord[] {
    const record = this.#planned[index]?.record;
    return record ? [record] : (this.#known.candidates.get(index) ?? []);
  }

  #isMissing(output: StoreRecord['outputs'][string] | undefined): boolean {
    if (output === undefined) return false;
    const known = this.#missing.get(output.digest);
    if (known !== undefined) return known;
    const missing = !this.#store.hasBlob(output.digest, output.bytes);
    this.#missing.set(output.digest, missing);
    return missing;
  }

  #withKey(key: Key): readonly number[] {
    this.#byKey ??= indicesByKey(this.#planned);
    return this.#byKey.get(key) ?? [];
  }
}

function indicesByKey(planned: readonly PlannedInstance[]): ReadonlyMap<Key, readonly number[]> {
  const found = new Map<Key, number[]>();
  for (const {key, instance} of planned) {
    if (key === undefined) continue;
    const others = found.get(key);
    if (others) others.push(instance.index);
    else found.set(key, [instance.index]);
  }
  return found;
}
