import type {Readable} from 'node:stream';
import {LONGEST_TOLD, lineSplitter} from '../stage/log-lines.ts';

const LAST_LINES = 20;

/** Lines that a worker process writes, told as they come, and the last of them that are the job's. */
export class JobLines {
  readonly #tell: (line: string) => void;
  #last: string[] = [];
  /** Gives the line that nothing has ended yet. */
  readonly #rests: (() => Iterable<string>)[] = [];

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  follow(stream: Readable | null): void {
    if (!stream) return;
    const {split, rest} = lineSplitter(LONGEST_TOLD);
    this.#rests.push(rest);
    stream.on('data', (bytes: Buffer) => this.#take(split(bytes)));
  }

  #take(lines: Iterable<string>): void {
    for (const line of lines) {
      this.#last.push(line);
      if (this.#last.length > LAST_LINES) this.#last.shift();
      this.#tell(line);
    }
  }

  /** What comes from now on is another job's. */
  begin(): void {
    this.last();
    this.#last = [];
  }

  /** No line is left for the next job. */
  last(): readonly string[] {
    for (const rest of this.#rests) this.#take(rest());
    return [...this.#last];
  }
}
