import {Worker} from 'node:worker_threads';
import {StageError} from '../../../src/stage/define-stage.ts';
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
  /** @throws StageError when a thread that prepares pictures stopped. */
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
  /** Threads beside the caller's; 0 prepares in `next`. By default as many as pay. */
  readonly threads?: number;
}

/** Batches that are prepared ahead. */
const AHEAD = 2;

/**
 * Fewer levels than these (10,000 colour pictures of 32 pixels) the caller prepares itself: one core augments about as many in a second
 * (bench/pictures.ts), and a thread first has to start.
 */
const LEVELS_THAT_PAY = 3e7;

/** Pictures that are neither augmented nor resized take a twentieth of the time of the others (bench/pictures.ts), and pay for no thread. */
function threadsThatPay({pictures, preprocessing, augment, batch, batches}: FeedOptions): number {
  const {channels, size} = preprocessing;
  const plain = augment.length === 0 && pictures.height === size && pictures.width === size;
  return plain || batch * batches * channels * size * size < LEVELS_THAT_PAY ? 0 : 1;
}

/**
 * Prepares batches beside the caller. The bytes are the same for any number of threads, as noise is drawn by (seed, epoch,
 * sample, draw) and a picture goes to its own place in the batch. Pictures are taken one by one by whoever comes to them, the
 * caller too when it wants a batch that is not ready: it waits for the one picture that a thread is at, and not for a thread that is
 * slow or has not started yet.
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
  readonly #threads: readonly Worker[];
  readonly #ahead: OfferedBatch[] = [];
  #failure: StageError | undefined;
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
    const script = new URL('./feed-thread.ts', import.meta.url);
    this.#threads = Array.from({length: threads}, () =>
      new Worker(script, {workerData: this.#work}).on('error', (error) => this.#fail(error)),
    );
    this.#offer(slots);
  }

  async next(): Promise<ReadyBatch> {
    if (this.#failure) throw this.#failure;
    // the batch before this one is done with, and its slot takes another
    this.#offer(this.#wanted++ + this.#work.slots.length);
    const offered = this.#ahead.shift();
    const buffer = offered && this.#work.slots[offered.slot];
    if (!offered || !buffer) throw new Error('Internal error: more batches are asked for than there are');
    takePart(this.#work, offered);
    await this.#done(offered);
    return {...buffer, n: offered.indices.length};
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  async #done({slot, indices}: OfferedBatch): Promise<void> {
    const {done} = this.#work;
    for (let count = Atomics.load(done, slot); count < indices.length; count = Atomics.load(done, slot)) {
      if (this.#failure) throw this.#failure;
      await Atomics.waitAsync(done, slot, count).value;
    }
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

  #fail(error: unknown): void {
    this.#failure ??= new StageError(
      `A thread that prepares training pictures stopped: ${error instanceof Error ? error.message : String(error)}`,
      'Run it again; it goes on from the last checkpoint.',
    );
    // wakes `next`, if that waits
    for (let slot = 0; slot < this.#work.done.length; slot++) Atomics.notify(this.#work.done, slot);
  }
}
