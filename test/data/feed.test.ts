import {setImmediate} from 'node:timers/promises';
import {Worker} from 'node:worker_threads';
import {expect, test} from 'vitest';
import type {Checkpoint, Checkpoints} from '../../src/stage/checkpoint.ts';
import finetune from '../../stages/finetune.ts';
import type {Pictures} from '../../stages/lib/data/pictures.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {augmentSchema} from '../../stages/lib/pictures/augment-schema.ts';
import {batchBuffer, fillBatch} from '../../stages/lib/pictures/batch.ts';
import {openFeed} from '../../stages/lib/pictures/feed.ts';
import {bindPreprocessor} from '../../stages/lib/pictures/preprocessor.ts';
import {type BatchPlan, offer, type SharedWork} from '../../stages/lib/pictures/shared-work.ts';
import {locatedMnist, recordingServices} from '../training/services.ts';

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
const work = {pictures, preprocessing, augment, seed: 3, batch: BATCH, planOf, log: () => {}};

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

test('a thread alone prepares a batch', async () => {
  const offered = {batch: 0, slot: 0, ...planOf(0)};
  const shared: SharedWork = {
    preparation: {pictures, preprocessing, augment, seed: 3},
    slots: [batchBuffer(preprocessing, BATCH, true)],
    taken: new BigInt64Array(new SharedArrayBuffer(8)),
    done: new Int32Array(new SharedArrayBuffer(4)),
  };
  const thread = new Worker(new URL('../../stages/lib/pictures/feed-thread.ts', import.meta.url), {workerData: shared});
  try {
    offer(shared, offered);
    thread.postMessage(offered);
    for (let count = 0; count < BATCH; count = Atomics.load(shared.done, 0)) {
      await Atomics.waitAsync(shared.done, 0, count).value;
    }
    expect(Float32Array.from(shared.slots[0]?.pixels ?? [])).toEqual(expected(0).pixels);
  } finally {
    await thread.terminate();
  }
});

/** The threads that start while something is done. */
async function threadsOf<T>(work: () => T | Promise<T>): Promise<{readonly result: T; readonly threads: Worker[]}> {
  const threads: Worker[] = [];
  const note = (thread: Worker): void => void threads.push(thread);
  process.on('worker', note);
  const result = await work();
  await setImmediate(); // the event comes with the next turn
  process.off('worker', note);
  return {result, threads};
}
const ended = -1; // as Node numbers a thread that is no more

test('closing ends the threads, also those that have work before them', async () => {
  const {result: feed, threads} = await threadsOf(() => openFeed({...work, batches: BATCHES, threads: 2}));
  await feed.next();
  await feed.close();
  expect(threads.map(({threadId}) => threadId)).toEqual([ended, ended]);
});

test.each([
  ['fails', 'failing', 'the thread broke'],
  ['hangs', 'hung', 'no picture came for too long'],
])('a thread that %s with a picture is ended, and the batches are the same', async (_, how, reason) => {
  const script = new URL(`../rig/${how}-feed-worker.ts`, import.meta.url);
  const notes: string[] = [];
  const log = (note: string): void => void notes.push(note);
  const {result: feed, threads} = await threadsOf(() =>
    openFeed({...work, log, batches: BATCHES, threads: 1, script, patience: 50}),
  );
  try {
    // an error may overtake the message; after either, the picture is taken
    await new Promise((resolve) => threads[0]?.once('message', resolve).once('error', resolve));
    for (let number = 0; number < BATCHES; number++) {
      const {n, pixels, labels} = await feed.next();
      const wanted = expected(number);
      expect(labels.slice(0, n)).toEqual(wanted.labels);
      expect(Float32Array.from(pixels.subarray(0, wanted.pixels.length))).toEqual(wanted.pixels);
    }
    expect(threads.map(({threadId}) => threadId)).toEqual([ended]);
    expect(notes).toEqual([expect.stringContaining(reason)]);
  } finally {
    await feed.close();
  }
});

test('training with large pictures has a thread, which ends with it: when stopped, and when gone on to the same bytes', async () => {
  const model = bindModel({model: 'mlp', image_size: 128, num_channels: 3, hidden: [4], labels: 2});
  const weights = {model: model.config, preprocessor: {do_convert_rgb: true}, tensors: initialise(model, 1)};
  const data = await locatedMnist({classes: [0, 1], limit: {train: 100, test: 10}});
  const params = {data, length: '7it', lr: 0.01, batch: 20, augment: [{flip: true}]};
  const train = (signal?: AbortSignal, checkpoints?: Checkpoints) =>
    finetune.run({params, inputs: {weights}, services: recordingServices(signal, checkpoints).services});

  const whole = await threadsOf(() => train());
  const controller = new AbortController();
  let saved: Checkpoint | undefined;
  const stopped = await threadsOf(() =>
    train(controller.signal, {
      load: async () => undefined,
      offer: async (make) => {
        saved ??= make();
        controller.abort();
      },
    }).catch((error: unknown) => error),
  );
  const resumed = await threadsOf(() => train(undefined, {load: async () => saved, offer: async () => {}}));

  expect(stopped.result).toMatchObject({name: 'AbortError'});
  expect(resumed.result).toEqual(whole.result);
  for (const {threads} of [whole, stopped, resumed]) {
    expect(threads.map(({threadId}) => threadId)).toEqual([ended]);
  }
});
