import {expect, test} from 'vitest';
import {checkpointsBy} from '../../src/run/checkpoints.ts';
import type {Checkpoint} from '../../src/stage/checkpoint.ts';
import {StoreError} from '../../src/store/store-error.ts';

/** A clock that only the test moves; saving moves it by what a save takes. */
function fakeTime({saving, bytes = 0, fail}: {saving: number; bytes?: number; fail?: unknown}) {
  let now = 0;
  const saved: number[] = [];
  const warned: string[] = [];
  const controller = new AbortController();
  const checkpoint: Checkpoint = {position: null, arrays: {weights: new Float32Array(bytes / 4)}};
  const checkpoints = checkpointsBy({
    load: async () => undefined,
    save: async () => {
      now += saving;
      if (fail !== undefined) throw fail;
      saved.push(now);
    },
    signal: controller.signal,
    warn: (message) => warned.push(message),
    now: () => now,
  });
  /** Steps of some milliseconds, each with an offer, until a moment. */
  const train = async (step: number, until: number): Promise<void> => {
    while (now < until) {
      now += step;
      await checkpoints.offer(() => checkpoint);
    }
  };
  return {train, saved, warned, stop: () => controller.abort(), offer: () => checkpoints.offer(() => checkpoint)};
}

test('saving that takes d is not repeated before 100 d have passed', async () => {
  const {train, saved} = fakeTime({saving: 50});
  await train(10, 60_000);
  const pauses = saved.slice(1).map((at, i) => at - 50 - (saved[i] ?? 0));
  expect(pauses.length).toBeGreaterThan(5);
  for (const pause of pauses) expect(pause).toBe(5000);
});

test('over a whole stage saving takes at most two hundredths of the time, also when its state is large', async () => {
  for (const [saving, bytes] of [
    [1, 1e6],
    [80, 20e6],
    [2000, 400e6],
  ] as const) {
    const {train, saved} = fakeTime({saving, bytes});
    const length = 400 * saving + 2000;
    await train(20, length);
    expect(saved.length).toBeGreaterThan(0);
    expect((saved.length * saving) / length).toBeLessThanOrEqual(0.02);
  }
});

test('a save that takes nothing is still not made more often than every half second', async () => {
  const {train, saved} = fakeTime({saving: 0});
  await train(10, 5000);
  expect(saved).toHaveLength(10);
});

test('when the run is being stopped, what is offered is saved whatever it takes', async () => {
  const {offer, stop, saved} = fakeTime({saving: 5000, bytes: 400e6});
  await offer();
  expect(saved).toEqual([]);
  stop();
  await offer();
  expect(saved).toEqual([5000]);
});

test('a checkpoint that cannot be written fails no stage: it is told once, and tried again after a while', async () => {
  const {train, warned} = fakeTime({
    saving: 1,
    fail: new StoreError('store-full', 'Cannot write a checkpoint to the cache at /data: the disk is full.'),
  });
  await train(10, 100_000);
  expect(warned).toEqual([
    'Cannot write a checkpoint to the cache at /data: the disk is full. It goes on without, and would begin again if it were interrupted.',
  ]);
});

test('a bug in what saves is not taken for a fault of the disk', async () => {
  const {train} = fakeTime({saving: 1, fail: new TypeError('x is not a function')});
  await expect(train(10, 1000)).rejects.toThrow('x is not a function');
});
