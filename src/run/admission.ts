import {type Demand, type Holding, Ledger, type Machine, namesOf} from './ledger.ts';

/** Work that is ready and waits for its turn. */
export interface Waiting {
  readonly demand: Demand;
  /** The larger comes first; of equal ones the smaller `order`. */
  readonly priority: number;
  readonly order: number;
  /** Runs to its end under what it was given, or is `busy` when another driver has to end first, and is tried again later; never rejects. */
  run(holding: Holding, attempt: number): Promise<'done' | 'busy'>;
  /** Instead, when nothing runs that could give back what it lacks; names of resources. It may add others. */
  refuse(lacking: readonly string[]): void;
}

const FIRST_PAUSE_MILLISECONDS = 5;
const LONGEST_PAUSE_MILLISECONDS = 250;

const isBefore = (one: Waiting, other: Waiting): boolean =>
  one.priority > other.priority || (one.priority === other.priority && one.order < other.order);

/**
 * The ready list: starts what waits, the most urgent first, as long as there is a place for it and what it needs is free. What the first in
 * line lacks is kept for it, and those behind it that need none of that go on, so that a large demand is not passed by for ever.
 */
export class Admission {
  readonly #places: number;
  readonly #ledger: Ledger;
  /** By demand, the next one last. Equal demands wait for the same, so that only the first of each is looked at. */
  readonly #lines = new Map<string, Waiting[]>();
  /** How often those that were busy have been tried. */
  readonly #attempts = new Map<Waiting, number>();
  #running = 0;
  /** Busy ones until they are tried again; they hold nothing. */
  #parked = 0;
  #onIdle: (() => void) | undefined;

  constructor(places: number, machine: Machine) {
    this.#places = places;
    this.#ledger = new Ledger(machine);
  }

  /** Starts nothing yet: several are added, then `start` finds the most urgent. */
  add(waiting: Waiting): void {
    const key = JSON.stringify([waiting.demand.mutex ?? null, Object.entries(waiting.demand.resources)]);
    const line = this.#lines.get(key) ?? [];
    this.#lines.set(key, line);
    let [low, high] = [0, line.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = line[middle];
      if (other && isBefore(waiting, other)) low = middle + 1;
      else high = middle;
    }
    line.splice(low, 0, waiting);
  }

  start(): void {
    for (let next = this.#next(); next; next = this.#next()) void this.#run(next);
  }

  async #run(next: Waiting): Promise<void> {
    this.#running += 1;
    const holding = this.#ledger.take(next.demand);
    const attempt = this.#attempts.get(next) ?? 0;
    const end = await next.run(holding, attempt);
    this.#running -= 1;
    this.#ledger.give(holding);
    if (end === 'busy') this.#park(next, attempt);
    else this.#attempts.delete(next);
    this.#goOn();
  }

  #park(busy: Waiting, attempt: number): void {
    this.#attempts.set(busy, attempt + 1);
    this.#parked += 1;
    const again = (): void => {
      this.#parked -= 1;
      this.add(busy);
      this.#goOn();
    };
    setTimeout(again, Math.min(LONGEST_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** attempt));
  }

  #goOn(): void {
    this.start();
    if (this.#running === 0) this.#onIdle?.();
  }

  /** Until nothing runs and nothing waits. What can never start is refused, and then keeps nothing from those behind it. */
  async idle(): Promise<void> {
    while (this.#running > 0 || this.#parked > 0 || this.#lines.size > 0) {
      if (this.#running > 0 || this.#lines.size === 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
      for (const [key, line] of [...this.#lines]) {
        const lacking = line[0] ? this.#ledger.lacking(line[0].demand) : [];
        if (lacking.length === 0) continue;
        this.#lines.delete(key);
        for (const waiting of line.toReversed()) waiting.refuse(lacking);
      }
      this.start();
    }
  }

  #next(): Waiting | undefined {
    if (this.#running >= this.#places) return undefined;
    const heads = [...this.#lines].flatMap(([key, line]) => {
      const head = line.at(-1);
      return head ? [{key, line, head}] : [];
    });
    heads.sort((a, b) => (isBefore(a.head, b.head) ? -1 : 1));
    const kept = new Set<string>();
    for (const {key, line, head} of heads) {
      const lacking = this.#ledger.lacking(head.demand);
      if (lacking.length === 0 && !namesOf(head.demand).some((name) => kept.has(name))) {
        line.pop();
        if (line.length === 0) this.#lines.delete(key);
        return head;
      }
      for (const name of lacking) kept.add(name);
    }
    return undefined;
  }
}
