import type {Binding, Graph, Instance} from '../graph/graph.ts';
import {upstreamOf} from '../plan/generations.ts';
import {some} from '../plan/reason-text.ts';
import type {InstanceStates} from './instance-states.ts';

/**
 * What a failure leaves of the inputs below it, when a run keeps going: an input that takes one artifact is lost with its
 * instance, one that gathers goes without the points that are lost as long as one is there.
 */
export class LostPoints {
  readonly #graph: Graph;
  readonly #states: InstanceStates;
  readonly #without = new Map<number, readonly number[]>();

  constructor(graph: Graph, states: InstanceStates) {
    this.#graph = graph;
    this.#states = states;
  }

  /** The lost instances that each one that ended well went without: those it would have gathered, and those that what it takes went without. */
  without(): ReadonlyMap<number, readonly number[]> {
    if (this.#without.size === 0) return this.#without;
    const spread = new Map<number, readonly number[]>();
    for (const instance of this.#graph.instances) {
      if (!this.#states.endedWell(instance.index)) continue;
      const above = upstreamOf(instance).flatMap((index) => spread.get(index) ?? []);
      const lost = new Set([...(this.#without.get(instance.index) ?? []), ...above]);
      if (lost.size > 0) spread.set(instance.index, [...lost]);
    }
    return spread;
  }

  /**
   * The instances that cannot run since one is lost, and so are lost too, by `skip`; gives those that now can be looked at.
   * `skip` tells whether the instance is one of the run.
   */
  spread(index: number, skip: (index: number) => boolean): readonly number[] {
    const ready: number[] = [];
    const stack = [index];
    for (let lost = stack.pop(); lost !== undefined; lost = stack.pop()) {
      for (const consumer of this.#graph.consumers[lost] ?? []) {
        if (this.#states.of(consumer) !== 'waiting') continue;
        const {inputs} = this.#instance(consumer);
        if (Object.values(inputs).every((binding) => this.#stands(binding))) {
          if (this.#states.doWithout(consumer)) ready.push(consumer);
        } else if (skip(consumer)) stack.push(consumer);
      }
    }
    return ready;
  }

  /** The instance as it runs: an input that gathers has the points that are there. */
  present(instance: Instance): Instance {
    const lost = new Set<number>();
    const inputs = Object.entries(instance.inputs).map(([name, binding]): [string, Binding] => {
      if (!binding.many) return [name, binding];
      const members = binding.members.filter(({from}) => !this.#isLost(from));
      for (const {from} of binding.members) if (this.#isLost(from)) lost.add(from);
      return [name, {...binding, members}];
    });
    if (lost.size === 0) return instance;
    this.#without.set(instance.index, [...lost]);
    return {...instance, inputs: Object.fromEntries(inputs)};
  }

  /** Told before an instance goes on without some of its points. */
  warning({index, id}: Instance): string | undefined {
    const lost = (this.#without.get(index) ?? []).map((above) => this.#instance(above).id);
    return lost.length === 0 ? undefined : `${id} goes on without what failed: ${some(lost, ', ')}.`;
  }

  /** Whether something of an input is there or may still come. */
  #stands(binding: Binding): boolean {
    return binding.many ? binding.members.some(({from}) => !this.#isLost(from)) : !this.#isLost(binding.from);
  }

  #isLost(index: number): boolean {
    return this.#states.isLost(index);
  }

  #instance(index: number): Instance {
    const instance = this.#graph.instances[index];
    if (!instance) throw new Error(`Internal error: there is no instance ${index}`);
    return instance;
  }
}
