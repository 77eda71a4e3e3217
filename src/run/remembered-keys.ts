import type {Key} from '../base/digest.ts';
import {UserError} from '../base/user-error.ts';
import type {RunOptions} from './run-options.ts';

interface Entry {
  readonly instance: string;
  readonly key: Key;
}

/** Which key each instance had, for `explain` alone: a disk that has no room for it fails nothing, and is told once. */
export class RememberedKeys {
  readonly #options: Pick<RunOptions, 'store' | 'graph' | 'emit'>;
  readonly #later: Entry[] = [];
  #warned = false;

  constructor(options: Pick<RunOptions, 'store' | 'graph' | 'emit'>) {
    this.#options = options;
  }

  /** Notes what ran at once, the rest in one go at the end. */
  note(entry: Entry, atOnce: boolean): void {
    if (atOnce) this.#write([entry]);
    else this.#later.push(entry);
  }

  close(): void {
    if (this.#later.length > 0) this.#write(this.#later.splice(0));
  }

  #write(entries: readonly Entry[]): void {
    const {store, graph, emit} = this.#options;
    try {
      store.remember(graph.name, entries);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!this.#warned) emit({event: 'warning', message: `${error.message} \`explain\` will not know of this run.`});
      this.#warned = true;
    }
  }
}
