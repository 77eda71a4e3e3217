import type {Pictures} from '../data/pictures.ts';
import type {Augmentation} from './augment-schema.ts';
import {type BatchBuffer, preparePicture} from './batch.ts';
import type {Preprocessing} from './preprocessor.ts';

/** What is done to which pictures, the same for all batches. */
export interface Preparation {
  readonly pictures: Pictures;
  readonly preprocessing: Preprocessing;
  readonly augment: Augmentation;
  /** Of the augmentation's noise. */
  readonly seed: number;
}

/** Which pictures a batch takes, and in which epoch. */
export interface BatchPlan {
  readonly epoch: number;
  readonly indices: Uint32Array;
}

/** What several threads work on; all that is large or changes lies in shared memory. */
export interface SharedWork {
  readonly preparation: Preparation;
  readonly slots: readonly BatchBuffer[];
  /** For each slot, the batch in it (upper 32 bits) and how many of its pictures were taken. */
  readonly taken: BigInt64Array;
  /** For each slot, how many pictures of its batch are done. */
  readonly done: Int32Array;
}

/** A batch that is to be prepared in a slot. */
export interface OfferedBatch extends BatchPlan {
  readonly batch: number;
  readonly slot: number;
}

const BATCH_BITS = 32n;

/** Puts a batch into a slot whose batch before is done with. */
export function offer({taken, done}: SharedWork, {batch, slot}: OfferedBatch): void {
  Atomics.store(done, slot, 0);
  Atomics.store(taken, slot, BigInt(batch) << BATCH_BITS);
}

/** Takes the next picture of a batch, its place; nothing when all are taken, or the slot has gone on to a later batch. */
function take(taken: BigInt64Array, {batch, slot, indices}: OfferedBatch): number | undefined {
  for (let seen = Atomics.load(taken, slot); seen >> BATCH_BITS === BigInt(batch); ) {
    const place = Number(BigInt.asUintN(32, seen));
    if (place >= indices.length) return undefined;
    const found = Atomics.compareExchange(taken, slot, seen, seen + 1n);
    if (found === seen) return place;
    seen = found;
  }
  return undefined;
}

/** Prepares pictures of a batch, as long as there are some that nobody else has taken. */
export function takePart({preparation, slots, taken, done}: SharedWork, offered: OfferedBatch): void {
  const {slot, epoch, indices} = offered;
  const buffer = slots[slot];
  if (!buffer) throw new Error(`Internal error: there is no slot ${slot}`);
  const {pictures, preprocessing, augment, seed} = preparation;
  for (let place = take(taken, offered); place !== undefined; place = take(taken, offered)) {
    preparePicture(buffer, place, pictures, indices[place] ?? 0, preprocessing, {augment, seed, epoch});
    if (Atomics.add(done, slot, 1) + 1 === indices.length) Atomics.notify(done, slot);
  }
}
