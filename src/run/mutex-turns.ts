import {keyOf} from '../base/digest.ts';
import {UserError} from '../base/user-error.ts';
import type {Store} from '../store/store.ts';

/** Longer than a busy instance waits until it is tried again, with something to spare for a driver that is slow. */
const WANTED_MILLISECONDS = 500;
/** So often a driver that waits has tried by then; one that was stopped, or died on a disk without locks, keeps nobody longer. */
const YIELDED_MILLISECONDS = 1000;

/**
 * Whose turn it is under a mutex that several drivers on one store share. Who has just given it back would have it again long before another
 * looks: so who waits says so with a second lock, for as long as it goes on looking, and who gave the mutex back lets that one go first.
 */
export class MutexTurns {
  readonly #store: Pick<Store, 'tryLeases'>;
  readonly #wanted = new Map<string, {readonly timer: NodeJS.Timeout; release(): void}>();
  readonly #told = new Set<string>();
  readonly #gaveBackAt = new Map<string, number>();

  constructor(store: Pick<Store, 'tryLeases'>) {
    this.#store = store;
  }

  /** Whether this is the first time that somebody is told of it. */
  isNews(mutex: string): boolean {
    const isNews = !this.#told.has(mutex);
    this.#told.add(mutex);
    return isNews;
  }

  /** Does work under the mutex; `busy` when another driver has it, `yielded` when another one waits and this one had it last. */
  async under<T>(mutex: string, work: () => Promise<T>): Promise<{readonly end: T} | 'busy' | 'yielded'> {
    if (await this.#isOthersTurn(mutex)) return 'yielded';
    const under = await this.#store.tryLeases([keyOf(`mutex ${mutex}`)], async () => {
      this.#wanted.get(mutex)?.release();
      return {end: await work()};
    });
    if (under === 'busy') this.#want(mutex);
    else this.#gaveBackAt.set(mutex, performance.now());
    return under;
  }

  async #isOthersTurn(mutex: string): Promise<boolean> {
    const gaveBackAt = this.#gaveBackAt.get(mutex);
    if (gaveBackAt === undefined || this.#wanted.has(mutex)) return false;
    if (performance.now() - gaveBackAt > YIELDED_MILLISECONDS) return false;
    return (await this.#store.tryLeases([wantedKey(mutex)], async () => 'free')) === 'busy';
  }

  /** Said until it is not tried again: what waits here may have no place to run in, and must keep nobody back. */
  #want(mutex: string): void {
    const known = this.#wanted.get(mutex);
    if (known) return void known.timer.refresh();
    const {promise, resolve} = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, WANTED_MILLISECONDS).unref();
    this.#wanted.set(mutex, {timer, release: resolve});
    const end = (): void => {
      clearTimeout(timer);
      this.#wanted.delete(mutex);
    };
    // At once where a third one waits too, and says so.
    this.#store
      .tryLeases([wantedKey(mutex)], () => promise)
      .then(end, (error: unknown) => {
        end();
        if (!(error instanceof UserError)) throw error;
      });
  }
}

const wantedKey = (mutex: string) => keyOf(`mutex wanted ${mutex}`);
