import type {Key} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';
import {keyOfPreimage, type OutputsOf, preimageOf} from '../plan/key.ts';
import type {PlannedInstance} from '../plan/verdict.ts';
import type {InstanceStates} from './instance-states.ts';
import type {LostPoints} from './lost-points.ts';

/** The keys of a run's instances, each made when everything upstream has ended. */
export class InstanceKeys {
  readonly #states: InstanceStates;
  readonly #lost: LostPoints;
  readonly #numerics: string;
  readonly #keys = new Map<number, Key>();

  constructor(states: InstanceStates, lost: LostPoints, numerics: string) {
    this.#states = states;
    this.#lost = lost;
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

  /** Makes the key of an instance. The plan knows it only as long as nothing that it called cached is lost. */
  make(planned: PlannedInstance): Key {
    const isWhole = this.#lost.present(planned.instance) === planned.instance;
    const key = (isWhole ? planned.key : undefined) ?? keyOfPreimage(this.preimageOf(planned));
    this.#keys.set(planned.instance.index, key);
    return key;
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
