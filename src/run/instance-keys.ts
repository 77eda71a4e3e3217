import type {Key} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';
import {upstreamOf} from '../plan/generations.ts';
import {keyOfPreimage, type OutputsOf, preimageOf} from '../plan/key.ts';
import type {Plan, PlannedInstance} from '../plan/verdict.ts';
import {sameOutputs} from '../store/record.ts';
import type {InstanceStates} from './instance-states.ts';
import type {LostPoints} from './lost-points.ts';

/** The keys of a run's instances, each made when everything upstream has ended. */
export class InstanceKeys {
  readonly #states: InstanceStates;
  readonly #lost: LostPoints;
  readonly #plan: Plan;
  readonly #numerics: string;
  readonly #keys = new Map<number, Key>();

  constructor(states: InstanceStates, lost: LostPoints, plan: Plan, numerics: string) {
    this.#states = states;
    this.#lost = lost;
    this.#plan = plan;
    this.#numerics = numerics;
  }

  /** Outputs of instances that have ended well. */
  readonly outputsOf: OutputsOf = (index, artifact) => {
    const output = this.#states.recordOf(index)?.outputs[artifact];
    if (!output) throw new Error(`Internal error: instance ${index} has no "${artifact}" yet`);
    return output;
  };

  preimageOf({instance, identity}: PlannedInstance): JsonObject {
    if (identity === undefined) throw new Error(`Internal error: ${instance.id} has no parameters yet`);
    return preimageOf({instance: this.#lost.present(instance), identity}, this.outputsOf, this.#numerics);
  }

  /** Makes the key of an instance. The plan knows it only as long as everything upstream has the outputs that it was planned with. */
  make(planned: PlannedInstance): Key {
    const isAsPlanned =
      this.#lost.present(planned.instance) === planned.instance &&
      upstreamOf(planned.instance).every((index) => this.#hasPlannedOutputs(index));
    const key = (isAsPlanned ? planned.key : undefined) ?? keyOfPreimage(this.preimageOf(planned));
    this.#keys.set(planned.instance.index, key);
    return key;
  }

  #hasPlannedOutputs(index: number): boolean {
    const now = this.#states.recordOf(index);
    const planned = this.#plan.instances[index]?.record;
    return now === planned || (now !== undefined && planned !== undefined && sameOutputs(now, planned));
  }

  /** Whether what an instance takes is no longer what its key was made from. */
  isStale(planned: PlannedInstance): boolean {
    return keyOfPreimage(this.preimageOf(planned)) !== this.#keys.get(planned.instance.index);
  }

  /** Every instance that has this key now. */
  withKey(key: Key): readonly number[] {
    return [...this.#keys].flatMap(([index, other]) => (other === key ? [index] : []));
  }

  find(index: number): Key | undefined {
    return this.#keys.get(index);
  }

  of(index: number): Key {
    const key = this.#keys.get(index);
    if (key === undefined) throw new Error(`Internal error: instance ${index} has no key yet`);
    return key;
  }
}
