import {expect, test} from 'vitest';
import {type Key, keyOf} from '../../src/base/digest.ts';
import {tryLeases} from '../../src/store/lease.ts';
import {PipelineRig} from '../rig/pipeline-rig.ts';

/** Runs `work` while another driver seems to compute a node, or to be under its mutex; its key may be had only once a store is there. */
async function whileBusy(rig: PipelineRig, keys: readonly Key[], work: () => Promise<void>): Promise<void> {
  await rig.run('stages: {other: {uses: number, with: {value: 0}}}\n');
  expect(await tryLeases(rig.cache, keys, work)).not.toBe('busy');
}

const TWO = `stages:
  taken: {uses: number, with: {value: 1}}
  free: {uses: number, with: {value: 2}}
  below: {uses: add, in: {a: taken.summary, b: free.summary}}
`;
const keysOf = async (rig: PipelineRig, text: string, id: string) =>
  (await rig.plan(text)).instances.flatMap(({instance, key}) => (instance.id === id && key ? [key] : []));

test('what another driver computes keeps the only place from nothing else, and comes when that has ended', async () => {
  await using rig = await PipelineRig.create();
  const isFree = Promise.withResolvers<void>();
  const ends: string[] = [];
  const {promise: run, resolve: started} = Promise.withResolvers<ReturnType<typeof rig.run>>();
  await whileBusy(rig, await keysOf(rig, TWO, 'taken'), async () => {
    const going = rig.run(TWO, {
      jobs: 1,
      onEvent: (event) => {
        if (event.event !== 'instance-finished') return;
        ends.push(event.id);
        if (event.id === 'free') isFree.resolve();
      },
    });
    started(going);
    await Promise.race([isFree.promise, going]);
  });
  const {totals, events} = await run;
  expect(totals).toMatchObject({ran: 3, failed: 0, skipped: 0});
  expect(ends).toEqual(['free', 'taken', 'below']);
  const warnings = events.flatMap((event) => (event.event === 'warning' ? [event.message] : []));
  expect(warnings).toEqual(['Another basin computes taken; waiting for it.']);
});

test("another driver's mutex keeps back only what is under it", async () => {
  await using rig = await PipelineRig.create();
  const text = 'stages:\n  a: {uses: number, with: {value: 1}, mutex: disk}\n  b: {uses: number, with: {value: 2}}\n';
  const isFree = Promise.withResolvers<void>();
  let going: ReturnType<typeof rig.run> | undefined;
  await whileBusy(rig, [keyOf('mutex disk')], async () => {
    going = rig.run(text, {
      jobs: 1,
      onEvent: (event) => void (event.event === 'instance-finished' && event.id === 'b' && isFree.resolve()),
    });
    await Promise.race([isFree.promise, going]);
  });
  const run = await going;
  expect(run?.totals).toMatchObject({ran: 2});
  expect(run?.events).toContainEqual({
    event: 'warning',
    message: 'Another basin has the mutex "disk" of a; waiting for it.',
  });
});

test.each(['finish-running', 'fail-fast'] as const)(
  'after a failure (%s) nobody waits for what another driver computes, and it is not begun',
  async (onFailure) => {
    await using rig = await PipelineRig.create();
    const text = `stages:
  taken: {uses: number, with: {value: 1}}
  bad: {uses: fail, with: {how: stage-error}}
`;
    await whileBusy(rig, await keysOf(rig, text, 'taken'), async () => {
      const {totals} = await rig.run(text, {jobs: 2, onFailure});
      expect(totals).toMatchObject({ran: 0, failed: 1, skipped: 1});
    });
  },
);
