import type {Instance} from '../graph/graph.ts';
import type {Stage} from '../stage/define-stage.ts';

/** What a machine has: GPUs by their ids, and amounts of everything else by name; memory in bytes. */
export interface Machine {
  readonly gpus: readonly string[];
  readonly amounts: Readonly<Record<string, number>>;
  /** What an instance takes of what it does not name. */
  readonly each: Readonly<Record<string, number>>;
  /** The same, of one that computes with tensors. */
  readonly tensors?: Readonly<Record<string, number>>;
}

/** What is taken of a machine while something runs. */
export type Demand = Pick<Instance, 'resources' | 'mutex'>;

export const demandOf = (
  {resources, mutex, stage}: Demand & {readonly stage: Pick<Stage, 'computes'>},
  {each, tensors}: Machine,
): Demand => ({
  mutex,
  resources: {...each, ...(stage.computes === 'tensors' && tensors), ...resources},
});

/** A demand that was met, until it is given back. */
export interface Holding {
  readonly demand: Demand;
  /** Ids of the GPUs that it was given. */
  readonly gpus: readonly string[];
}

/** Sums of parts such as a tenth miss the whole by less than this. */
const ROUNDING = 1e-9;

/** What of a machine is free now. */
export class Ledger {
  /** The free part of each GPU, from 0 to 1. */
  readonly #gpus: Map<string, number>;
  readonly #free: Map<string, number>;
  readonly #mutexes = new Set<string>();

  constructor({gpus, amounts}: Machine) {
    this.#gpus = new Map(gpus.map((id) => [id, 1]));
    this.#free = new Map(Object.entries(amounts));
  }

  /** What a demand would have to wait for: names of resources and its mutex. */
  lacking({resources, mutex}: Demand): readonly string[] {
    const lacking = Object.entries(resources).flatMap(([name, amount]) =>
      (name === 'gpu' ? this.#gpusFor(amount) !== undefined : amount <= (this.#free.get(name) ?? 0) + ROUNDING)
        ? []
        : [name],
    );
    if (mutex !== undefined && this.#mutexes.has(mutex)) lacking.push(mutexName(mutex));
    return lacking;
  }

  /** Only what lacks nothing may be taken. */
  take(demand: Demand): Holding {
    const {gpu, ...others} = demand.resources;
    const gpus = gpu === undefined ? [] : (this.#gpusFor(gpu) ?? []);
    for (const id of gpus) this.#gpus.set(id, (this.#gpus.get(id) ?? 0) - Math.min(1, gpu ?? 0));
    for (const [name, amount] of Object.entries(others)) this.#free.set(name, (this.#free.get(name) ?? 0) - amount);
    if (demand.mutex !== undefined) this.#mutexes.add(demand.mutex);
    return {demand, gpus};
  }

  give({demand, gpus}: Holding): void {
    const {gpu, ...others} = demand.resources;
    for (const id of gpus) this.#gpus.set(id, (this.#gpus.get(id) ?? 0) + Math.min(1, gpu ?? 0));
    for (const [name, amount] of Object.entries(others)) this.#free.set(name, (this.#free.get(name) ?? 0) + amount);
    if (demand.mutex !== undefined) this.#mutexes.delete(demand.mutex);
  }

  /** Whole GPUs, or for a part the one with the least room that still suffices, so that whole ones stay whole. */
  #gpusFor(amount: number): readonly string[] | undefined {
    const part = Math.min(1, amount);
    const fitting = [...this.#gpus].filter(([, free]) => free >= part - ROUNDING).sort((a, b) => a[1] - b[1]);
    const count = Math.ceil(amount);
    return fitting.length < count ? undefined : fitting.slice(0, count).map(([id]) => id);
  }
}

const mutexName = (mutex: string): string => `mutex ${mutex}`;

/** Everything that a demand takes some of. */
export const namesOf = ({resources, mutex}: Demand): readonly string[] => [
  ...Object.keys(resources),
  ...(mutex === undefined ? [] : [mutexName(mutex)]),
];
