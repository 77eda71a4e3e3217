import {StageError} from '../stage/define-stage.ts';

/** A worker whose event loop turns answers at once that it ends its stage; one that has not by now is blocked. */
const MOST_SECONDS_TO_ANSWER = 5;
/** From there to the end of a stage that was told: a program has five seconds to end by itself. */
const SECONDS_TO_END = 10;

const STEP_MILLISECONDS = 100;
/** A step that took longer was not waited for: the process was stopped meanwhile, by Ctrl-Z, a container's pause or a scheduler. */
const LONGEST_STEP = 2 * STEP_MILLISECONDS;

/** Said of a point that took too long, whoever noticed. */
export const timeOutMessage = (seconds: number): string => `It took longer than its time-out of ${seconds} s.`;

export const timeOutError = (seconds: number): StageError =>
  new StageError(timeOutMessage(seconds), 'Raise "timeout" of the node, or leave it out.');

interface TimeWatchOptions {
  readonly seconds: number;
  /** The time of a point is over. */
  over(): void;
  /** The worker has not answered, or not ended since. */
  overdue(): void;
}

/**
 * The time of the points of a job. The driver counts it, whose event loop is never blocked for long: a worker that is late cannot tell whether it was
 * stopped or its stage kept it, and one that is blocked cannot be ended from within.
 */
export class TimeWatch {
  readonly #options: TimeWatchOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TimeWatchOptions) {
    this.#options = options;
    this.restart();
  }

  /** For a point that begins now. */
  restart(): void {
    const {seconds, over, overdue} = this.#options;
    this.#in(seconds, () => {
      over();
      this.#in(Math.min(seconds, MOST_SECONDS_TO_ANSWER), overdue);
    });
  }

  /** The worker has been told, and ends its stage. */
  answered(): void {
    this.#in(SECONDS_TO_END, this.#options.overdue);
  }

  #in(seconds: number, then: () => void): void {
    this.close();
    let left = seconds * 1000;
    let before = performance.now();
    const step = (): void => {
      const now = performance.now();
      left -= Math.min(now - before, LONGEST_STEP);
      before = now;
      if (left > 0) wait();
      else then();
    };
    const wait = (): void => {
      this.#timer = setTimeout(step, Math.min(left, STEP_MILLISECONDS));
    };
    wait();
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
