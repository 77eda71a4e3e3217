import {Worker} from 'node:worker_threads';
import {inSharedMemory} from '../data/pictures.ts';
import {type BatchBuffer, batchBuffer, fillBatch} from './batch.ts';
import {type BatchPlan, type OfferedBatch, offer, type Preparation, type SharedWork, takePart} from './shared-work.ts';

/** A batch that is ready; its memory is filled anew once the next one is asked for. */
interface ReadyBatch extends BatchBuffer {
  /** Pictures in it. */
  readonly n: number;
}

/** Batches of training pictures, in order. */
export interface Feed {
  next(): Promise<ReadyBatch>;
  /** Ends the threads; resolves once they are gone. */
  close(): Promise<void>;
}

interface FeedOptions extends Preparation {
  /** Pictures in the largest batch. */
  readonly batch: number;
  /** How many batches there will be. */
  readonly batches: number;
  /** The plan of batch 0, 1, …; asked for in this order, some batches ahead of `next`. */
  readonly planOf: (batch: number) => BatchPlan;
  /** Told when the threads are given up. */
  readonly log: (text: string) => void;
  /** Threads beside the caller's; 0 prepares in `next`. By default as many as pay. */
  readonly threads?: number;
  /** What the threads run. */
  readonly script?: URL;
  /** Milliseconds without a picture done after which the threads count as hung. */
  readonly patience?: number;
}

/** Batches that are prepared ahead. */
const AHEAD = 2;

/** A picture takes milliseconds, also on a busy machine. */
const PATIENCE = 10_000;

const THREAD = new URL('./feed-thread.ts', import.meta.url);

/**
 * Levels of a prepared picture (128 pixels in colour) from which a thread pays. By bench/feed.ts on two cores it made steps of 224 pixels
 * faster by 2 to 22 %, and those of 32 pixels, which TensorFlow's threads leave no time for, not at all.
 */
const LEVELS_THAT_PAY = 3 * 128 * 128;

/** Fewer pictures take less time than a thread takes to start, about a tenth of a second. */
const PICTURES_THAT_PAY = 100;

/** Pictures that are neither augmented nor resized only have their levels looked up, and pay for no thread. */
function threadsThatPay({pictures, preprocessing, augment, batch, batches}: FeedOptions): number {
  const {channels, size} = preprocessing;
  const plain = augment.length === 0 && pictures.height === size && pictures.width === size;
  const pays = !plain && channels * size * size >= LEVELS_THAT_PAY && batch * batches >= PICTURES_THAT_PAY;
  return pays ? 1 : 0;
}

/**
 * Prepares batches beside the caller. The bytes are the same for any number of threads, as noise is drawn by (seed, epoch,
 * sample, draw) and a picture goes to its own place in the batch. Pictures are taken one by one by whoever comes to them, the
 * caller too when it wants a batch that is not ready: it waits for the one picture that a thread is at, and not for a thread that is
 * slow or has not started yet. Threads that fail or hang are ended, and the caller prepares the rest alone.
 */
export function openFeed(options: FeedOptions): Feed {
  const threads = options.threads ?? threadsThatPay(options);
  return threads === 0 ? inlineFeed(options) : new ThreadedFeed(options, threads);
}

function inlineFeed({batch, planOf, pictures, preprocessing, augment, seed}: FeedOptions): Feed {
  const buffer = batchBuffer(preprocessing, batch);
  let number = 0;
  return {
    next: async () => {
      const {epoch, indices} = planOf(number++);
      fillBatch(buffer, pictures, indices, preprocessing, {augment, seed, epoch});
      return {...buffer, n: indices.length};
    },
    close: async () => {},
  };
}

/** A ring of buffers: batch b lies in slot b mod slots. */
class ThreadedFeed implements Feed {
  readonly #options: FeedOptions;
  readonly #work: SharedWork;
  readonly #ahead: OfferedBatch[] = [];
  /** Those that still run. */
  #threads: readonly Worker[];
  /** Why they are to be ended. */
  #failure: string | undefined;
  #offered = 0;
  #wanted = 0;

  constructor(options: FeedOptions, threads: number) {
    const {batch, pictures, preprocessing, augment, seed} = options;
    // one more than are ahead: the one that the caller reads
    const slots = AHEAD + 1;
    this.#options = options;
    this.#work = {
      preparation: {pictures: inSharedMemory(pictures), preprocessing, augment, seed},
      slots: Array.from({length: slots}, () => batchBuffer(preprocessing, batch, true)),
      taken: new BigInt64Array(new SharedArrayBuffer(8 * slots)),
      done: new Int32Array(new SharedArrayBuffer(4 * slots)),
    };
    this.#threads = Array.from({length: threads}, () =>
      new Worker(options.script ?? THREAD, {workerData: this.#work}).on('error', (error) =>
        this.#fail(error instanceof Error ? error.message : String(error)),
      ),
    );
    this.#offer(slots);
  }

  async next(): Promise<ReadyBatch> {
    // the batch before this one is done with, and its slot takes another
    this.#offer(this.#wanted++ + this.#work.slots.length);
    const offered = this.#ahead.shift();
    const buffer = offered && this.#work.slots[offered.slot];
    if (!offered || !buffer) throw new Error('Internal error: more batches are asked for than there are');
    takePart(this.#work, offered);
    if (!(await this.#isDone(offered))) {
      await this.#goOnAlone();
      const {pictures, preprocessing, augment, seed} = this.#work.preparation;
      fillBatch(buffer, pictures, offered.indices, preprocessing, {augment, seed, epoch: offered.epoch});
    }
    return {...buffer, n: offered.indices.length};
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  /** Waits for the pictures that threads have taken; false when they will not come. */
  async #isDone({slot, indices}: OfferedBatch): Promise<boolean> {
    const {done} = this.#work;
    for (let count = Atomics.load(done, slot); count < indices.length; count = Atomics.load(done, slot)) {
      if (this.#failure !== undefined || this.#threads.length === 0) return false;
      if ((await Atomics.waitAsync(done, slot, count, this.#options.patience ?? PATIENCE).value) === 'timed-out') {
        this.#fail('no picture came for too long');
      }
    }
    return true;
  }

  /** Ends the threads, so that none writes any more. */
  async #goOnAlone(): Promise<void> {
    if (this.#threads.length === 0) return;
    await this.close();
    this.#threads = [];
    this.#options.log(
      `A thread that prepares training pictures stopped (${this.#failure}); they are prepared without it, to the same bytes.`,
    );
  }

  /** Offers the batches below `end` that were not offered yet. */
  #offer(end: number): void {
    for (; this.#offered < Math.min(end, this.#options.batches); this.#offered++) {
      const batch = this.#offered;
      const {epoch, indices} = this.#options.planOf(batch);
      // a part of an array would be sent with the whole of its memory
      const offered = {batch, slot: batch % this.#work.slots.length, epoch, indices: indices.slice()};
      this.#ahead.push(offered);
      offer(this.#work, offered);
      for (const thread of this.#threads) thread.postMessage(offered);
    }
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    // wakes `next`, if that waits
    for (let slot = 0; slot < this.#work.done.length; slot++) Atomics.notify(this.#work.done, slot);
  }
}
