import {setImmediate} from 'node:timers/promises';
import type {Worker} from 'node:worker_threads';
import {expect, test} from 'vitest';
import {StageError} from '../../src/stage/define-stage.ts';
import type {Pictures} from '../../stages/lib/data/pictures.ts';
import {augmentSchema} from '../../stages/lib/pictures/augment-schema.ts';
import {batchBuffer, fillBatch} from '../../stages/lib/pictures/batch.ts';
import {openFeed} from '../../stages/lib/pictures/feed.ts';
import {bindPreprocessor} from '../../stages/lib/pictures/preprocessor.ts';
import type {BatchPlan} from '../../stages/lib/pictures/shared-work.ts';

const N = 40;
const BATCH = 8;
const pictures: Pictures = {
  n: N,
  channels: 3,
  height: 32,
  width: 32,
  values: Uint8Array.from({length: N * 3 * 32 * 32}, (_, place) => (place * 31 + (place >> 9)) % 256),
  labels: Int32Array.from({length: N}, (_, sample) => sample % 10),
};
const preprocessing = bindPreprocessor({}, {channels: 3, imageSize: 32}, pictures);
const augment = augmentSchema.parse([
  {crop: 24, resize: 32},
  {flip: true},
  {jitter: {brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1}},
]);

/** Whole and cut batches, two epochs and a half. */
const planOf = (batch: number): BatchPlan => ({
  epoch: Math.floor(batch / 5),
  indices: Uint32Array.from({length: batch % 5 === 4 ? 3 : BATCH}, (_, place) => (batch * 11 + place * 7) % N),
});
const BATCHES = 13;
const work = {pictures, preprocessing, augment, seed: 3, batch: BATCH, planOf};

/** A batch as the function that knows no threads makes it. */
function expected(number: number): {readonly pixels: Float32Array; readonly labels: Int32Array} {
  const {epoch, indices} = planOf(number);
  const buffer = batchBuffer(preprocessing, indices.length);
  fillBatch(buffer, pictures, indices, preprocessing, {augment, seed: 3, epoch});
  return buffer;
}

test.for([0, 1, 2, 3])('with %i threads the batches are the same, whoever prepares them', async (threads) => {
  const feed = openFeed({...work, batches: BATCHES, threads});
  try {
    for (let number = 0; number < BATCHES; number++) {
      const {n, pixels, labels} = await feed.next();
      const wanted = expected(number);
      expect(n).toBe(wanted.labels.length);
      expect(labels.slice(0, n)).toEqual(wanted.labels);
      expect(Buffer.from(Float32Array.from(pixels.subarray(0, wanted.pixels.length)).buffer)).toEqual(
        Buffer.from(wanted.pixels.buffer),
      );
    }
  } finally {
    await feed.close();
  }
});

/** Enough that a thread has started and taken part long before the last. */
const UNTIL_THREADS_TAKE_PART = 100_000;

test('a thread prepares pictures beside the caller, and the caller those that no thread has taken', async () => {
  const own = {...pictures, values: pictures.values.slice()};
  const feed = openFeed({...work, pictures: own, batches: UNTIL_THREADS_TAKE_PART, threads: 1});
  own.values.fill(0); // the thread has read them: what is black was prepared here
  const size = 3 * 32 * 32;
  const black = new Set<boolean>();
  try {
    for (let number = 0; black.size < 2; number++) {
      const {n, pixels} = await feed.next();
      const wanted = expected(number).pixels;
      for (let place = 0; place < n; place++) {
        const [got, colours] = [pixels, wanted].map((all) =>
          Array.from(all.subarray(place * size, (place + 1) * size)),
        );
        const here = got?.every((value) => value === preprocessing.table[0]) ?? false;
        if (!here) expect(got).toEqual(colours);
        black.add(here);
      }
    }
  } finally {
    await feed.close();
  }
});

test('closing ends the threads, also those that have work before them', async () => {
  const threads: Worker[] = [];
  const note = (thread: Worker): void => void threads.push(thread);
  process.on('worker', note);
  const feed = openFeed({...work, batches: BATCHES, threads: 2});
  await feed.next();
  await setImmediate(); // the event comes with the next turn
  process.off('worker', note);
  await feed.close();
  expect(threads.map(({threadId}) => threadId)).toEqual([-1, -1]); // as Node numbers a thread that has ended
});

test('a thread that fails is an error with what to do', async () => {
  const impossible: typeof augment = [{crop: 24, resize: -1}]; // as no array has that length
  const feed = openFeed({...work, augment: impossible, batches: UNTIL_THREADS_TAKE_PART, threads: 1});
  const failure = async (): Promise<unknown> => {
    for (let number = 0; number < UNTIL_THREADS_TAKE_PART; number++) {
      try {
        await feed.next();
      } catch (error) {
        if (!(error instanceof RangeError)) return error; // those are the caller's own batches
        await setImmediate();
      }
    }
    return undefined;
  };
  try {
    const error = await failure();
    expect(error).toBeInstanceOf(StageError);
    expect(String(error)).toContain('A thread that prepares training pictures stopped');
  } finally {
    await feed.close();
  }
});
