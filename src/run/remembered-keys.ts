import type {Key} from '../base/digest.ts';
import {UserError} from '../base/user-error.ts';
import {placeOf} from '../store/pipeline-place.ts';
import type {RunOptions} from './run-options.ts';

interface Entry {
  readonly instance: string;
  readonly key: Key;
}

/** A write and its transaction cost as much as a short stage. */
const SOON_MS = 100;

/** Which key each instance had, for `explain` alone: a disk that has no room for it fails nothing, and is told once. */
export class RememberedKeys {
  readonly #options: Pick<RunOptions, 'store' | 'graph' | 'emit'>;
  readonly #later: Entry[] = [];
  #timer: NodeJS.Timeout | undefined;
  #warned = false;

  constructor(options: Pick<RunOptions, 'store' | 'graph' | 'emit'>) {
    this.#options = options;
  }

  /** Notes what ran soon, together with what ran beside it; the rest at the end. */
  note(entry: Entry, ran: boolean): void {
    this.#later.push(entry);
    if (!ran || this.#timer) return;
    this.#timer = setTimeout(() => this.#writeAll(), SOON_MS);
    this.#timer.unref();
  }

  close(): void {
    this.#writeAll();
  }

  #writeAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#later.length > 0) this.#write(this.#later.splice(0));
  }

  #write(entries: readonly Entry[]): void {
    const {store, graph, emit} = this.#options;
    try {
      store.remember(placeOf(store.root, graph), entries);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!this.#warned) emit({event: 'warning', message: `${error.message} \`explain\` will not know of this run.`});
      this.#warned = true;
    }
  }
}
