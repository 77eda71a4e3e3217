import {StageError} from '../stage/define-stage.ts';

/** A signal that is aborted with the run's, or when a point takes longer than its node allows. */
export class TimeLimit {
  readonly signal: AbortSignal;
  readonly #seconds: number | undefined;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(seconds: number | undefined, stop: AbortSignal) {
    this.#seconds = seconds;
    this.signal = AbortSignal.any([stop, this.#over.signal]);
    this.restart();
  }

  /** For the next point. */
  restart(): void {
    this.close();
    const seconds = this.#seconds;
    if (seconds === undefined) return;
    const error = new StageError(
      `It took longer than its time-out of ${seconds} s.`,
      'Raise "timeout" of the node, or leave it out.',
    );
    this.#timer = setTimeout(() => this.#over.abort(error), seconds * 1000);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
