import {rm, writeFile} from 'node:fs/promises';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {isDigest} from '../../src/base/digest.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {RunEvent} from '../../src/run/event.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import {defineStage, type Registry} from '../../src/stage/define-stage.ts';
import type {Store} from '../../src/store/store.ts';
import {verifyStore} from '../../src/store/verify-store.ts';
import {ANY_MACHINE} from '../rig/any-machine.ts';
import {countingStages} from '../rig/counting-stages.ts';
import {inProcessPool} from '../rig/in-process-pool.ts';
import {graphOf} from '../rig/read-text.ts';
import {temporaryStore} from '../rig/temporary-store.ts';

// A stage that gives other bytes each time, as training on a GPU or a program may, loses its payload and is made again: whatever key a result is
// stored under then is the key of what it was made from, and the run ends where nothing is left to do.

let thrown = 0;
const dice = defineStage({
  name: 'dice',
  version: 1,
  doc: 'Another number each time.',
  params: z.strictObject({seed: z.int().default(0)}),
  inputs: {a: {kind: 'summary', doc: 'Anything.', optional: true}},
  outputs: {summary: {kind: 'summary', doc: 'The number.', columns: {value: 'float64'}}},
  computes: 'plain',
  async run() {
    return {summary: [{value: 1000 + thrown++}]};
  },
});
const stages: Registry = new Map([...countingStages, ['dice', dice]]);

type Pool = ReturnType<typeof inProcessPool>;

async function run(
  store: Store,
  text: string,
  force: readonly string[] = [],
  through: (pool: Pool, events: readonly RunEvent[]) => Pool = (pool) => pool,
) {
  const graph = graphOf(text, {}, stages);
  const forced = new Set(graph.instances.flatMap(({id, index}) => (force.includes(id) ? [index] : [])));
  const plan = await makePlan(graph, {store, numerics: 'none', forced});
  const events: RunEvent[] = [];
  const pool = through(inProcessPool(stages), events);
  const {totals, records} = await runPlan({
    ...{graph, plan, store, numerics: 'none', pool, jobs: 2, machine: ANY_MACHINE},
    onFailure: 'finish-running',
    wanted: new Set(graph.instances.keys()),
    stop: new AbortController().signal,
    emit: (event) => events.push(event),
  });
  const ids = (wanted: (index: number) => boolean) =>
    graph.instances.filter(({index}) => wanted(index)).map(({id}) => String(id));
  const digests = Object.fromEntries(
    graph.instances.map(({id, index}) => [String(id), records[index]?.outputs.summary?.digest]),
  );
  return {
    totals,
    records,
    digests,
    cached: ids((index) => plan.instances[index]?.verdict === 'cached'),
    ran: events.flatMap((event) =>
      event.event === 'instance-finished' && event.outcome === 'ran' ? [String(event.id)] : [],
    ),
    warnings: events.flatMap((event) => (event.event === 'warning' ? [event.message] : [])),
    verdicts: Object.fromEntries(
      plan.instances.map(({instance, verdict, reason}) => [instance.id, `${verdict} ${reason.why}`]),
    ),
  };
}

async function expectNothingLeft(store: Store, text: string) {
  expect(await verifyStore(store)).toMatchObject({damagedRecords: [], damagedPayloads: [], differsInIndex: []});
  const again = await run(store, text);
  expect(again.ran).toEqual([]);
  expect(Object.values(again.verdicts).filter((verdict) => verdict !== 'cached cached')).toEqual([]);
  return again;
}

const TEXT = (by: number) => `stages:
  x: {uses: dice}
  y: {uses: mod, in: {a: x.summary}, with: {by: 900}}
  below: {uses: mod, in: {a: y.summary}, with: {by: 800}}
  z: {uses: mod, in: {a: x.summary}, with: {by: ${by}}}
`;

test.each([
  [
    'gone',
    (store: Store, digest: string) => rm(pathOf(store, digest)),
    {x: 'run payload-missing', y: 'run-unless-cut-off upstream-remade', below: 'run-unless-cut-off upstream-remade'},
    0,
  ],
  ['turned over', turnOver, {x: 'cached cached', y: 'cached cached', below: 'cached cached'}, 3],
] as const)(
  'a payload that is %s and made again to other bytes takes all that was made of it along',
  async (_, lose, verdicts, told) => {
    const store = await temporaryStore();
    const first = await run(store, TEXT(7));
    await lose(store, first.digests.x ?? '');
    const second = await run(store, TEXT(5));
    expect(second.verdicts).toMatchObject(verdicts);
    expect(second.warnings).toHaveLength(told);
    expect(second.ran.toSorted()).toEqual(['below', 'x', 'y', 'z']);
    expect(second.totals).toMatchObject({ran: 4, cached: 0, cutOff: 0, failed: 0, skipped: 0});
    expect(second.digests.x).not.toBe(first.digests.x);
    expect((await expectNothingLeft(store, TEXT(5))).digests).toEqual(second.digests);
  },
);

test('a payload that is made again to the same bytes runs nothing but what was edited', async () => {
  const store = await temporaryStore();
  const text = (by: number) => TEXT(by).replace('{uses: dice}', '{uses: number, with: {value: 19}}');
  const {digests} = await run(store, text(7));
  await rm(pathOf(store, digests.x ?? ''));
  const second = await run(store, text(5));
  expect(second.verdicts).toMatchObject({y: 'run-unless-cut-off upstream-remade'});
  expect(second.totals).toMatchObject({ran: 2, cutOff: 2, cached: 0});
  await expectNothingLeft(store, text(5));
});

test('what may be needed and is gone is made again only when it comes to that', async () => {
  const store = await temporaryStore();
  const text = (uses: string, by: number) => `stages:
  x: {uses: ${uses}}
  side: {uses: number, with: {value: 3}}
  both: {uses: add, in: {a: x.summary, b: side.summary}}
  z: {uses: mod, in: {a: x.summary}, with: {by: ${by}}}
`;
  const number = 'number, with: {value: 19}';
  for (const [uses, ran] of [
    [number, ['x', 'z']],
    ['dice', ['both', 'side', 'x', 'z']],
  ] as const) {
    const {digests} = await run(store, text(uses, 7));
    for (const id of ['x', 'side']) await rm(pathOf(store, digests[id] ?? ''));
    const second = await run(store, text(uses, 5));
    expect(second.verdicts).toMatchObject({side: 'run-unless-cut-off payload-perhaps-needed'});
    expect(second.ran.toSorted()).toEqual(ran);
    expect(second.warnings).toEqual([]);
    await expectNothingLeft(store, text(uses, 5));
  }
});

test.each(['gone', 'forced'])('an instance with the key of one that is %s gets what that gives', async (why) => {
  const store = await temporaryStore();
  const text = (by: number) => `stages:
  one: {uses: dice}
  other: {uses: dice}
  low: {uses: mod, in: {a: one.summary}, with: {by: ${by}}}
  high: {uses: mod, in: {a: other.summary}, with: {by: 900}}
`;
  const first = await run(store, text(7));
  expect(first.digests.one).toBe(first.digests.other);
  if (why === 'gone') await rm(pathOf(store, first.digests.one ?? ''));
  const second = await run(store, text(5), why === 'forced' ? ['one'] : []);
  expect(second.verdicts).toMatchObject({other: 'run-unless-cut-off same-work'});
  expect(second.digests.one).not.toBe(first.digests.one);
  expect(second.digests.other).toBe(second.digests.one);
  expect(second.ran.toSorted()).toEqual(['high', 'low', 'one']);
  await expectNothingLeft(store, text(5));
});

test('what fails on a payload that was made again takes along what was made of the old one', async () => {
  const store = await temporaryStore();
  const {records} = await run(store, 'stages: {x: {uses: dice}}');
  const text = (by: number) => `stages:
  x: {uses: dice}
  y: {uses: at-most, in: {a: x.summary}, with: {limit: ${records[0]?.outputs.summary?.inline?.[0]?.value}}}
  below: {uses: mod, in: {a: y.summary}, with: {by: 800}}
  z: {uses: mod, in: {a: x.summary}, with: {by: ${by}}}
`;
  const first = await run(store, text(7));
  expect(first.totals).toMatchObject({ran: 3, cached: 1, failed: 0});
  await turnOver(store, first.digests.x ?? '');
  const second = await run(store, text(5));
  expect(second.totals).toMatchObject({failed: 1, cached: 0, cutOff: 0});
  expect(second.digests).toMatchObject({y: undefined, below: undefined});
});

test('what was computed from a payload while that was made again keeps its key, and is computed from the new one', async () => {
  const store = await temporaryStore();
  const text = (by: number) => `stages:
  x: {uses: dice}
  slow: {uses: more, in: {a: x.summary}, with: {by: ${by}}}
  after: {uses: mod, in: {a: slow.summary}, with: {by: 900}}
  z: {uses: mod, in: {a: x.summary}, with: {by: ${by}}}
`;
  const first = await run(store, text(7));
  const asked: string[] = [];
  const second = await run(store, text(5), [], (pool) => {
    const remade = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    return {
      ...pool,
      async run(job, listener) {
        asked.push(job.stage.name);
        const isFirst = asked.filter((name) => name === job.stage.name).length === 1;
        if (job.stage.name === 'mod' && isFirst) {
          await started.promise;
          return {end: 'failed', why: 'damaged-inputs', digests: [digestIn(first.digests.x ?? '')], logTail: []};
        }
        if (job.stage.name !== 'more' || !isFirst) {
          const end = await pool.run(job, listener);
          if (job.stage.name === 'dice') setImmediate(remade.resolve); // once it is published
          return end;
        }
        const points: (() => void)[] = [];
        const end = await pool.run(job, {
          ...listener,
          point: (...point) => points.push(() => listener.point(...point)),
        });
        started.resolve();
        await remade.promise;
        for (const point of points) point();
        return end;
      },
    };
  });
  expect(second.totals).toMatchObject({ran: 4, failed: 0, skipped: 0});
  expect(asked.toSorted()).toEqual(['dice', 'mod', 'mod', 'mod', 'more', 'more']);
  expect((await expectNothingLeft(store, text(5))).digests).toEqual(second.digests);
});

test('a result under another key than its preimage has is not stored', async () => {
  const store = await temporaryStore();
  const {records} = await run(store, TEXT(7));
  const [one, other] = records;
  if (!one || !other) throw new Error('no records');
  await expect(store.publish({...one, key: other.key, outputs: {}})).rejects.toThrow('preimage of another key');
});

async function turnOver(store: Store, digest: string): Promise<void> {
  const bytes = await store.readBlob(digestIn(digest));
  if (!(bytes instanceof Uint8Array)) throw new Error('no bytes');
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  await writeFile(pathOf(store, digest), bytes);
}

const pathOf = (store: Store, digest: string): string => store.blobPath(digestIn(digest));
function digestIn(text: string) {
  if (!isDigest(text)) throw new Error(`"${text}" is no digest`);
  return text;
}
