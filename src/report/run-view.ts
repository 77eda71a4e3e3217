import type {Outcome, RunEvent} from '../run/event.ts';

/** An instance that runs now, as far as it has said. Times are milliseconds of `performance.now()`. */
export interface RunningView {
  readonly id: string;
  readonly since: number;
  /** The steps it had when it started: a checkpoint's, else 0. */
  readonly resumedAt: number;
  readonly step: number | undefined;
  readonly steps: number | undefined;
  readonly epoch: number | undefined;
  readonly loss: number | undefined;
  readonly note: string | undefined;
}

/** What a live display needs to know of a run: a fold over its events. */
export class RunView {
  instances = 0;
  readonly ended: Record<Outcome, number> = {ran: 0, cached: 0, 'cut-off': 0, failed: 0, skipped: 0};
  readonly running = new Map<string, RunningView>();
  readonly failures: (RunEvent & {event: 'instance-finished'})[] = [];
  readonly #ended = new Map<string, Outcome>();

  apply(event: RunEvent, now: number): void {
    switch (event.event) {
      case 'run-started':
        this.instances = event.instances;
        return;
      case 'instance-started': {
        // A damaged output takes its instance back to the start.
        this.#uncount(event.id);
        const fresh = {step: undefined, steps: undefined, epoch: undefined, loss: undefined, note: undefined};
        this.running.set(event.id, {id: event.id, since: now, resumedAt: 0, ...fresh});
        return;
      }
      case 'instance-progress': {
        const running = this.running.get(event.id);
        if (!running) return;
        const {step, steps, epoch, loss, note} = event;
        // The first step that is done is always told.
        const resumedAt = running.step === undefined ? Math.max(0, step - 1) : running.resumedAt;
        this.running.set(event.id, {...running, resumedAt, step, steps, epoch, loss, note});
        return;
      }
      case 'instance-finished':
        this.running.delete(event.id);
        this.#uncount(event.id);
        this.#ended.set(event.id, event.outcome);
        this.ended[event.outcome] += 1;
        if (event.outcome === 'failed') this.failures.push(event);
        return;
      case 'backend':
      case 'log':
      case 'warning':
      case 'expectation':
      case 'run-finished':
        return;
      default:
        return event satisfies never;
    }
  }

  #uncount(id: string): void {
    const before = this.#ended.get(id);
    if (before === undefined) return;
    this.ended[before] -= 1;
    this.#ended.delete(id);
  }

  get done(): number {
    return this.#ended.size;
  }
}
