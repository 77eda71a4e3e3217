import {existsSync} from 'node:fs';
import {rm, stat, utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {digestOf, type Key} from '../../src/base/digest.ts';
import {chooseEvictions} from '../../src/store/choose-evictions.ts';
import {collectGarbage} from '../../src/store/collect-garbage.ts';
import {tryLeases} from '../../src/store/lease.ts';
import type {Store} from '../../src/store/store.ts';
import {draftOf, keyOf, reopened, temporaryStore} from '../rig/temporary-store.ts';

const HOUR = 3_600_000;
const MONTH = 30 * 24 * HOUR;
const NOW = 100 * MONTH;
const payload = (name: string, bytes: number, age = 0) => ({name: digestOf(name), path: name, bytes, since: NOW - age});
const cost = (name: string, seconds: number, ...payloads: readonly string[]) => ({
  key: keyOf({name}),
  stage: 'finetune',
  seconds,
  digests: (payloads.length > 0 ? payloads : [name]).map((each) => digestOf(each)),
});
const evictedOf = (
  payloads: Parameters<typeof chooseEvictions>[0],
  costs: Parameters<typeof chooseEvictions>[1],
  current: readonly string[],
  budget: number,
) =>
  chooseEvictions(payloads, costs, new Set<Key>(current.map((name) => keyOf({name}))), {budget, now: NOW}).map(
    (eviction) => `${eviction.file.path} ${eviction.reason}`,
  );

test('what costs least per byte to compute again goes first, until the rest fits', () => {
  const payloads = [payload('dear', 100), payload('cheap', 100), payload('large', 1000)];
  const costs = [cost('dear', 50), cost('cheap', 5), cost('large', 40)];
  const current = ['dear', 'cheap', 'large'];
  expect(evictedOf(payloads, costs, current, 1200)).toEqual([]);
  expect(evictedOf(payloads, costs, current, 1199)).toEqual(['large cheap']);
  expect(evictedOf(payloads, costs, current, 150)).toEqual(['large cheap', 'cheap cheap']);
  expect(evictedOf(payloads, costs, current, 0)).toEqual(['large cheap', 'cheap cheap', 'dear cheap']);
});

test('what no pipeline refers to goes before what one does, however costly; a month of age halves what a payload is worth', () => {
  const payloads = [payload('old dear', 100), payload('now cheap', 100), payload('aged', 100, 2 * MONTH)];
  const costs = [cost('old dear', 1000), cost('now cheap', 1), cost('aged', 3.9)];
  expect(evictedOf(payloads, costs, ['now cheap', 'aged'], 0)).toEqual([
    'old dear superseded',
    'aged cheap',
    'now cheap cheap',
  ]);
});

test('a payload of several keys counts as its cheapest, and is current when one of them is', () => {
  const payloads = [payload('shared', 100), payload('own', 100)];
  const costs = [cost('a', 100, 'shared'), cost('b', 1, 'shared'), cost('own', 10)];
  expect(evictedOf(payloads, costs, ['a', 'own'], 100)).toEqual(['shared cheap']);
  expect(evictedOf(payloads, costs, ['b'], 100)).toEqual(['own superseded']);
});

test('what nothing names goes whatever the budget, unless it came within the hour: its record may be on its way', () => {
  const payloads = [payload('left', 10, 2 * HOUR), payload('arriving', 10, HOUR / 2)];
  expect(evictedOf(payloads, [], [], 1e9)).toEqual(['left orphaned']);
});

test('the rest fits the budget or nothing is left to remove, and nothing goes in vain', () => {
  const one = fc.record({
    bytes: fc.integer({min: 1, max: 1000}),
    seconds: fc.integer({min: 0, max: 1000}),
    current: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(one, {maxLength: 20}), fc.integer({min: 0, max: 8000}), (items, budget) => {
      const payloads = items.map(({bytes}, index) => payload(`p${index}`, bytes));
      const costs = items.map(({seconds}, index) => cost(`p${index}`, seconds));
      const current = new Set(items.flatMap((item, index) => (item.current ? [keyOf({name: `p${index}`})] : [])));
      const evictions = chooseEvictions(payloads, costs, current, {budget, now: NOW});
      const sum = (bytes: readonly number[]) => bytes.reduce((a, b) => a + b, 0);
      const left = sum(items.map(({bytes}) => bytes)) - sum(evictions.map((eviction) => eviction.file.bytes));
      expect(left <= budget || evictions.length === items.length).toBe(true);
      const last = evictions.at(-1);
      if (last) expect(left + last.file.bytes).toBeGreaterThan(budget);
    }),
    {seed: 7, numRuns: 300},
  );
});

test('a collection removes payloads, leaves every record, and a dry one touches nothing', async () => {
  const store = await temporaryStore();
  const dear = await store.publish(await draftOf(store, {n: 1}, {weights: 'dear'}, {seconds: 100}));
  const cheap = await store.publish(await draftOf(store, {n: 2}, {weights: 'cheap'}, {seconds: 1}));
  const there = () => [dear, cheap].map(({outputs}) => store.hasBlob(outputs.weights?.digest ?? digestOf('none')));
  const options = {budget: 5};
  expect(await collectGarbage(store, {...options, dryRun: true})).toMatchObject({bytesBefore: 9, bytesAfter: 4});
  expect(there()).toEqual([true, true]);
  await collectGarbage(store, {...options, dryRun: false});
  expect(there()).toEqual([true, false]);
  expect(store.records([dear.key, cheap.key]).size).toBe(2);
  const remade = await store.publish(await draftOf(store, {n: 2}, {weights: 'cheap, remade'}, {seconds: 1}));
  expect(remade.outputs.weights?.digest).toBe(digestOf('cheap, remade')); // a record without a payload does not win
});

test('checkpoints that nobody works on and logs of long ago count and go: after what is superseded, before what is current', async () => {
  const store = await temporaryStore();
  const [old, current] = [{n: 1}, {n: 2}];
  await store.publish(await draftOf(store, old, {weights: 'old'}, {seconds: 100}));
  await store.publish(await draftOf(store, current, {weights: 'now'}, {seconds: 1}));
  store.remember({name: 'p', place: 'p.yaml'}, [{instance: 'a', key: keyOf(current)}]);
  const [stopped, running] = [keyOf({n: 3}), keyOf({n: 4})];
  for (const key of [stopped, running]) await writeFile(join(await store.scratchFolder(key), 'position'), '1234567');
  const [oldLog = '', youngLog = ''] = ['2026-01-01T000000.000Z-p', '2026-01-02T000000.000Z-p'].map((name) => {
    const log = store.openRunLog(name);
    log.append({});
    log.close();
    return log.path;
  });
  const longAgo = (Date.now() - MONTH - HOUR) / 1000;
  await utimes(oldLog, longAgo, longAgo);
  const gc = async (budget: number) => {
    const {bytesBefore, bytesAfter, evictions} = await collectGarbage(store, {budget, dryRun: false});
    return {bytesBefore, bytesAfter, evictions: evictions.map(({file, reason}) => `${file.name} ${reason}`)};
  };
  await tryLeases(store.root, [running], async () => {
    expect(await gc(16)).toEqual({bytesBefore: 16, bytesAfter: 16, evictions: []});
    expect(await gc(15)).toMatchObject({bytesAfter: 13, evictions: [`${digestOf('old')} superseded`]});
    expect(await gc(12)).toMatchObject({bytesAfter: 10, evictions: ['2026-01-01T000000.000Z-p.jsonl old-log']});
    expect(await gc(9)).toEqual({bytesBefore: 10, bytesAfter: 3, evictions: [`${stopped} unfinished`]});
    expect(await gc(0)).toEqual({bytesBefore: 3, bytesAfter: 0, evictions: [`${digestOf('now')} cheap`]});
  });
  expect(existsSync(join(store.root, 'scratch', stopped))).toBe(false);
  expect(existsSync(join(store.root, 'scratch', running, 'position'))).toBe(true);
  expect([oldLog, youngLog].map((path) => existsSync(path))).toEqual([false, true]);
});

test('a long history of keys is cut to the last twenty of each instance, for who collects, who has the store open, and who opens it', async () => {
  const store = await temporaryStore();
  const pipeline = {name: 'p', place: 'p.yaml'};
  const instances = Array.from({length: 40}, (_, at) => `point[alpha=${at}]`);
  const keyAt = (instance: string, round: number) => keyOf({instance, round});
  const remember = (of: Store, round: number) =>
    of.remember(
      pipeline,
      instances.map((instance) => ({instance, key: keyAt(instance, round)})),
    );
  const history = (last: number, count: number) =>
    Array.from({length: count}, (_, at) => keyAt('point[alpha=7]', last - at));
  for (let round = 1; round <= 200; round++) remember(store, round);
  const file = join(store.root, 'runs', 'remembered.jsonl');
  const other = await reopened(store.root);
  expect(other.keyHistory(pipeline, 'point[alpha=7]')).toEqual(history(200, 200));
  const {size} = await stat(file);
  expect(size).toBeGreaterThan(1e6);
  await collectGarbage(store, {budget: 1e9, dryRun: true});
  expect((await stat(file)).size).toBe(size);
  await collectGarbage(store, {budget: 1e9, dryRun: false});
  expect((await stat(file)).size).toBeLessThan(size / 5);
  remember(other, 201);
  expect(other.keyHistory(pipeline, 'point[alpha=7]')).toEqual(history(201, 21));
  remember(store, 202);
  expect(store.keyHistory(pipeline, 'point[alpha=7]')).toEqual(history(202, 22));
  await rm(join(store.root, 'index.sqlite'));
  const anew = await reopened(store.root);
  expect(anew.keyHistory(pipeline, 'point[alpha=7]')).toEqual(history(202, 22));
  expect(anew.currentKeys()).toEqual(new Set(instances.map((instance) => keyAt(instance, 202))));
});
