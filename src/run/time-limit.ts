import {StageError} from '../stage/define-stage.ts';

/** A worker whose event loop turns notices at once that a point's time is over; one that has not by now is blocked. */
const MOST_SECONDS_TO_NOTICE = 5;
/** From there to the end of a stage that was told: a program has five seconds to end by itself. */
const SECONDS_TO_END = 10;

/** Said of a point that took too long, whoever noticed. */
export const timeOutMessage = (seconds: number): string => `It took longer than its time-out of ${seconds} s.`;

/** Watches a worker from the driver: one whose event loop is blocked, or whose stage looks at no signal, cannot be ended from within. */
export class OverdueWatch {
  readonly #seconds: number;
  readonly #overdue: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(seconds: number, overdue: () => void) {
    this.#seconds = seconds;
    this.#overdue = overdue;
  }

  /** For a point that begins now. */
  restart(): void {
    this.#in(this.#seconds + Math.min(this.#seconds, MOST_SECONDS_TO_NOTICE));
  }

  /** The worker has noticed, and ends its stage. */
  noticed(): void {
    this.#in(SECONDS_TO_END);
  }

  #in(seconds: number): void {
    this.close();
    this.#timer = setTimeout(this.#overdue, seconds * 1000);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

/** A signal that is aborted with the run's, or when a point takes longer than its node allows. */
export class TimeLimit {
  readonly signal: AbortSignal;
  readonly #seconds: number | undefined;
  readonly #whenOver: () => void;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /** `over` is called when the time is over, before the signal is aborted. */
  constructor(seconds: number | undefined, stop: AbortSignal, over: () => void) {
    this.#whenOver = over;
    this.#seconds = seconds;
    this.signal = AbortSignal.any([stop, this.#over.signal]);
    this.restart();
  }

  /** For the next point. */
  restart(): void {
    this.close();
    const seconds = this.#seconds;
    if (seconds === undefined) return;
    const error = new StageError(timeOutMessage(seconds), 'Raise "timeout" of the node, or leave it out.');
    this.#timer = setTimeout(() => {
      this.#whenOver();
      this.#over.abort(error);
    }, seconds * 1000);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
