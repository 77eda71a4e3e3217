import {mkdirSync, readdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {verifyStore} from '../../src/store/verify-store.ts';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';
import {reopened} from '../rig/temporary-store.ts';

// Who clears up by hand may remove, or move away, the whole cache while a run goes on.

const TEXT = `stages:
  early: {uses: number, with: {value: 9}}
  value: {uses: number, with: {value: 1}}
  point: {uses: scale, in: {a: value.summary}, sweep: {alpha: [0, 0.5, 1]}}
  both: {run: [sh, -c, 'cat "$1" "$2" >"$0"', "\${out.o}", "\${in.a}", "\${in.b}"], in: {a: point.points, b: early.summary}, out: {o: file}}
  last: {uses: gather, in: {points: point.points}}
`;
const INSTANCES = 9;

/** Runs the pipeline and does something as soon as an instance has ended, as often as is said. */
const runWhile = (rig: PipelineRig, id: RegExp, times: number, work: () => void): Promise<RigRun> => {
  let left = times;
  return rig.run(TEXT, {
    ...{jobs: 1, onFailure: 'keep-going'},
    onEvent: (event) => {
      if (left === 0 || event.event !== 'instance-finished' || event.outcome !== 'ran' || !id.test(event.id)) return;
      left -= 1;
      work();
    },
  });
};

async function expectWhole(root: string): Promise<void> {
  const found = await verifyStore(await reopened(root));
  expect(found).toMatchObject({damagedPayloads: [], damagedRecords: [], differsInIndex: [], notRead: [], gone: 0});
}

const WAYS = [
  ['removed', (root: string) => rmSync(root, {recursive: true})],
  ['moved away', (root: string) => renameSync(root, `${root}-moved`)],
  [
    'removed but for its index',
    (root: string) => {
      for (const name of ['FORMAT', 'keys', 'blobs', 'tmp']) rmSync(join(root, name), {recursive: true});
    },
  ],
] as const;
const WHENS = [
  ['the first has ended', /^early/],
  ['some of it has ended', /^both/],
  ['the last has ended', /^last/],
] as const;

test.for(WAYS.flatMap(([way, remove]) => WHENS.map(([when, id]) => ({way, remove, when, id}))))(
  'a cache that is $way once $when is one again, and has every result that the run tells of',
  async ({way, remove, id}) => {
    await using rig = await PipelineRig.create();
    const {totals, events} = await runWhile(rig, id, 1, () => remove(rig.cache));
    expect(events.flatMap((event) => (event.event === 'instance-finished' && event.failure ? [event] : []))).toEqual(
      [],
    );
    expect(totals).toMatchObject({ran: INSTANCES, cached: 0, failed: 0, skipped: 0});
    expect(events).toContainEqual({
      event: 'warning',
      message: expect.stringMatching(/^A stored output of early is missing or damaged; it is computed again\.$/),
    });
    const {instances} = await rig.plan(TEXT);
    expect(instances.map(({verdict}) => verdict)).toEqual(instances.map(() => 'cached'));
    expect((await rig.run(TEXT)).totals).toMatchObject({ran: 0, cached: INSTANCES});
    await expectWhole(rig.cache);
    if (way === 'moved away') await expectWhole(`${rig.cache}-moved`);
  },
);

test('what is removed again after it was made again fails, with what to do', async () => {
  await using rig = await PipelineRig.create();
  const {totals, events} = await runWhile(rig, /^last/, 2, () => rmSync(rig.cache, {recursive: true}));
  expect(totals).toMatchObject({ran: 0, cached: 0, failed: 2, skipped: INSTANCES - 2});
  expect(events).toContainEqual({
    ...{event: 'instance-finished', id: 'early', outcome: 'failed', seconds: 0},
    failure: {
      message: `The result of early is gone: the cache at ${rig.cache} was removed or moved while this run worked on it, and once more since it was made again.`,
      hint: 'Run it again once nobody does that.',
    },
  });
});

test('a folder of somebody else that takes the place of a cache is left alone', async () => {
  await using rig = await PipelineRig.create();
  const {totals, events} = await runWhile(rig, /^early/, 1, () => {
    renameSync(rig.cache, `${rig.cache}-moved`);
    mkdirSync(rig.cache);
    writeFileSync(join(rig.cache, 'theirs'), '');
  });
  expect(totals.ran).toBeLessThan(INSTANCES);
  expect(events).toContainEqual(
    expect.objectContaining({
      outcome: 'failed',
      failure: {
        message: `The folder ${rig.cache} is no cache of basin: it has no file FORMAT, but other things, as "theirs".`,
        hint: 'Nothing in it was touched. Name another folder, or an empty one, with --cache DIR or BASIN_CACHE.',
      },
    }),
  );
  expect(readdirSync(rig.cache)).toEqual(['theirs']);
});
