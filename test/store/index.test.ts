import {cpSync, readdirSync, statSync} from 'node:fs';
import {appendFile, mkdir, readFile, rm, stat, truncate, utimes, writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {expect, test} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {collectGarbage} from '../../src/store/collect-garbage.ts';
import {fileStamp, isSettled, statusOf} from '../../src/store/file-stamp.ts';
import type {StoreRecord} from '../../src/store/record.ts';
import {RecordIndex} from '../../src/store/record-index.ts';
import {staticPart} from '../../src/store/static-part.ts';
import type {Store} from '../../src/store/store.ts';
import {StoreError} from '../../src/store/store-error.ts';
import {recordPath} from '../../src/store/store-layout.ts';
import {verifyStore} from '../../src/store/verify-store.ts';
import {draftOf, keyOf, reopened, temporaryFolder, temporaryStore} from '../rig/temporary-store.ts';

const PIPELINE = {place: 'p', name: 'p'};

const preimage = (lr: number, weights = 'a') => ({
  format: 1,
  stage: 'finetune',
  version: 1,
  params: {lr},
  inputs: {weights: {kind: 'weights', digest: digestOf(weights)}},
});
const A = preimage(0.1);
const B = preimage(0.2);

async function filled(): Promise<Store> {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, A, {weights: 'a'}));
  store.remember(PIPELINE, [{instance: 'finetune', key: keyOf(A)}]);
  await store.publish(await draftOf(store, B, {weights: 'b'}));
  store.remember(PIPELINE, [{instance: 'finetune', key: keyOf(B)}]);
  await store.close();
  return store;
}
const removeIndex = async (root: string) => {
  for (const name of readdirSync(root).filter((entry) => entry.startsWith('index.sqlite'))) await rm(join(root, name));
};

test.each([
  ['deleted', removeIndex],
  ['overwritten with noise', async (root: string) => writeFile(join(root, 'index.sqlite'), 'noise '.repeat(2000))],
  ['emptied', async (root: string) => writeFile(join(root, 'index.sqlite'), '')],
  [
    'of another version',
    async (root: string) => {
      const database = new DatabaseSync(join(root, 'index.sqlite'));
      database.exec('drop table record; create table record(other); pragma user_version = 999');
      database.close();
    },
  ],
])('an index that was %s is made anew from the files, history and all', async (_, break_) => {
  const {root} = await filled();
  await break_(root);
  const store = await reopened(root);
  expect([...store.records([keyOf(A), keyOf(B)]).keys()].sort()).toEqual([keyOf(A), keyOf(B)].sort());
  expect(store.keyHistory(PIPELINE, 'finetune')).toEqual([keyOf(B), keyOf(A)]);
  expect(store.recordsOfStage('finetune')).toHaveLength(2);
});

test('a group that shares a cache shares its index, as the umask of who makes it allows', async () => {
  for (const [umask, mode] of [
    [0o002, 0o664],
    [0o022, 0o644],
    [0o077, 0o600],
  ] as const) {
    const before = process.umask(umask);
    try {
      const {root} = await filled();
      const store = await reopened(root);
      expect(store.records([keyOf(A)]).size).toBe(1);
      store.remember(PIPELINE, [{instance: 'other', key: keyOf(A)}]);
      for (const name of ['', '-wal', '-shm'])
        expect(statSync(join(root, `index.sqlite${name}`)).mode & 0o777, name).toBe(mode);
    } finally {
      process.umask(before);
    }
  }
});

test('an index damaged under a living store does not stop it', async () => {
  const {root} = await filled();
  const store = await reopened(root);
  expect(store.records([keyOf(A)]).size).toBe(1);
  await store.close();
  const bytes = Buffer.alloc(65536, 0x5a);
  const living = await reopened(root);
  await writeFile(join(root, 'index.sqlite'), bytes);
  expect(living.records([keyOf(A), keyOf(B)]).size).toBe(2);
});

test.each([
  ['a digit of its outputs', `outputs = replace(outputs, '"bytes":1', '"bytes":2')`],
  ['a quote of its outputs', `outputs = replace(outputs, '"bytes"', '"bytes')`],
  ['its preimage', `preimage = replace(preimage, '0.1', '0.7')`],
  ['the seconds it took', 'seconds = seconds + 1'],
])('a row of the index that lost %s is not believed: the index is made anew', async (_, change) => {
  const {root} = await filled();
  const byKey = (one: StoreRecord, other: StoreRecord) => (one.key < other.key ? -1 : 1);
  const outputsOf = ({key, outputs, seconds}: StoreRecord) => ({key, outputs, seconds});
  const told = (record: StoreRecord) => ({...outputsOf(record), preimage: record.preimage});
  const expected = [...(await reopened(root)).recordsOfStage('finetune')].sort(byKey).map(told);
  expect(expected).toHaveLength(2);
  const database = new DatabaseSync(join(root, 'index.sqlite'));
  database.exec(`update record set ${change}`);
  database.close();
  const store = await reopened(root);
  const found = [...store.records([keyOf(A), keyOf(B)]).values()].sort(byKey);
  expect(found.map(outputsOf)).toEqual(expected.map(outputsOf));
  expect(store.costs()).toHaveLength(2);
  expect([...store.recordsOfStage('finetune')].sort(byKey).map(told)).toEqual(expected);
});

test('what a key is of is asked for when it is looked at, and is nothing where the index is no more', async () => {
  const {root} = await filled();
  const store = await reopened(root);
  const [looked, late] = [A, B].map((one) => store.records([keyOf(one)]).get(keyOf(one)));
  expect(looked?.preimage).toEqual(A);
  await store.close();
  expect(looked?.preimage).toEqual(A);
  expect(late?.preimage).toEqual({});
});

test('a record whose file somebody deleted is no longer believed', async () => {
  const {root} = await filled();
  expect((await reopened(root)).records([keyOf(A)]).size).toBe(1);
  await rm(recordPath(root, keyOf(A)));
  const store = await reopened(root);
  expect(store.records([keyOf(A)]).size).toBe(0);
  await rm(join(root, 'keys'), {recursive: true});
  expect((await reopened(root)).records([keyOf(A), keyOf(B)]).size).toBe(0);
});

/** Other bytes under a key that has a result, as `run --force` leaves them. */
const replacement = async (store: Store, text: string) => ({
  ...(await draftOf(store, A, {weights: text})),
  replace: true,
});
const weightsOf = (store: Store) => store.records([keyOf(A)]).get(keyOf(A))?.outputs.weights?.digest;

test('a result that took the place of another is found by all, also when its driver told an index that is no more', async () => {
  const {root} = await filled();
  const [working, reading] = [await reopened(root), await reopened(root)];
  await reading.draftFolder();
  expect([weightsOf(working), weightsOf(reading)]).toEqual([digestOf('a'), digestOf('a')]);
  await removeIndex(root);
  const between = await reopened(root);
  expect(weightsOf(between)).toBe(digestOf('a'));
  await between.draftFolder();
  await working.publish(await replacement(working, 'second'));
  await working.close();
  expect([weightsOf(reading), weightsOf(between)]).toEqual([digestOf('second'), digestOf('second')]);
  await Promise.all([reading.close(), between.close()]);
  const store = await reopened(root);
  expect(weightsOf(store)).toBe(digestOf('second'));
  expect(await verifyStore(store)).toMatchObject({differsInIndex: []});
});

test('what a driver tells the index late does not take the place of what another published meanwhile', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, A, {weights: 'a'}));
  const other = await reopened(store.root);
  await other.publish(await replacement(other, 'second'));
  await other.close();
  await store.close();
  const next = await reopened(store.root);
  expect(weightsOf(next)).toBe(digestOf('second'));
  expect(await verifyStore(next)).toMatchObject({differsInIndex: []});
});

test('records that are copied over those of a cache are the ones that count', async () => {
  const {root} = await filled();
  const other = await temporaryStore();
  await other.publish(await draftOf(other, A, {weights: 'second'}));
  await other.close();
  expect(weightsOf(await reopened(root))).toBe(digestOf('a'));
  for (const folder of ['keys', 'blobs'])
    cpSync(join(other.root, folder), join(root, folder), {recursive: true, preserveTimestamps: true});
  const store = await reopened(root);
  expect(weightsOf(store)).toBe(digestOf('second'));
  expect(await verifyStore(store)).toMatchObject({differsInIndex: [], damagedRecords: []});
});

test('remembering the same key again writes nothing, and half a line in the history is passed over', async () => {
  const {root} = await filled();
  await appendFile(join(root, 'runs', 'remembered.jsonl'), '{"event":"remember","pipe');
  const store = await reopened(root);
  store.remember(PIPELINE, [{instance: 'finetune', key: keyOf(B)}]);
  expect(store.keyHistory(PIPELINE, 'finetune')).toEqual([keyOf(B), keyOf(A)]);
  expect(store.lastKeys({place: 'other', name: 'other'}, ['finetune']).size).toBe(0);
});

/** More than a string can hold, none of it on the disk. */
const HOLE = 600 * 2 ** 20;

test('a history that is longer than a string can be is read, and cut', async () => {
  const {root} = await filled();
  const file = join(root, 'runs', 'remembered.jsonl');
  const lines = await readFile(file, 'utf8');
  await writeFile(file, '');
  await truncate(file, HOLE);
  await appendFile(file, `\n${lines}`);
  await removeIndex(root);
  const store = await reopened(root);
  expect(store.keyHistory(PIPELINE, 'finetune')).toEqual([keyOf(B), keyOf(A)]);
  await collectGarbage(store, {budget: 1e9, dryRun: false});
  expect((await stat(file)).size).toBeLessThan(2 * lines.length);
  expect((await reopened(root)).keyHistory(PIPELINE, 'finetune')).toEqual([keyOf(B), keyOf(A)]);
});

test('a history that cannot be read stops nothing but its own growth', async () => {
  const {root} = await filled();
  const file = join(root, 'runs', 'remembered.jsonl');
  await rm(file);
  await mkdir(file);
  await removeIndex(root);
  const store = await reopened(root);
  expect(store.records([keyOf(A), keyOf(B)]).size).toBe(2);
  expect(store.lastKeys(PIPELINE, ['finetune']).size).toBe(0);
  expect(() => store.remember(PIPELINE, [{instance: 'finetune', key: keyOf(A)}])).toThrow(StoreError);
  await collectGarbage(store, {budget: 1e9, dryRun: false});
  await rm(file, {recursive: true});
  store.remember(PIPELINE, [{instance: 'finetune', key: keyOf(A)}]);
  expect(store.keyHistory(PIPELINE, 'finetune')).toEqual([keyOf(A)]);
});

test('records are found by their static part, whatever their inputs', async () => {
  const store = await temporaryStore();
  const [one, two] = [preimage(0.1, 'one'), preimage(0.1, 'two')];
  await store.publish(await draftOf(store, one, {weights: 'x'}));
  await store.publish(await draftOf(store, two, {weights: 'y'}));
  await store.publish(await draftOf(store, B, {weights: 'z'}));
  const found = store.recordsWithStaticPart([staticPart(one)]).get(staticPart(one));
  expect(found?.map(({key}) => key)).toEqual([keyOf(two), keyOf(one)]);
});

test('a young file is read every time and not noted, for a change within one tick of the clock would not show', async () => {
  const {root} = await filled();
  const store = await reopened(root);
  const file = join(await temporaryFolder(), 'data');
  await writeFile(file, 'one');
  await utimes(file, 1e9, 1e9);
  expect(await store.digestOfFile(file)).toBe(digestOf('one'));
  await writeFile(file, 'two');
  await utimes(file, 1e9, 1e9);
  expect(await store.digestOfFile(file)).toBe(digestOf('two'));
  await store.close();
  const database = new DatabaseSync(join(root, 'index.sqlite'));
  expect(database.prepare('select * from file').all()).toEqual([]);
  database.close();
});

test('a file is noted when it is a minute old: into a mapped page of a younger one could be written unseen', async () => {
  const {root} = await filled();
  const store = await reopened(root);
  const file = join(await temporaryFolder(), 'data');
  await writeFile(file, 'one');
  await store.digestOfFile(file);
  const old = '/bin/sh'; // what is of the checkout may have been installed just now
  const digest = await store.digestOfFile(old);
  await store.close();
  const database = new DatabaseSync(join(root, 'index.sqlite'));
  expect(database.prepare('select path, digest from file').all()).toEqual([{path: old, digest}]);
  database.close();
  const now = Date.now();
  expect([50_000, 70_000].map((later) => isSettled(statusOf(file), now + later))).toEqual([false, true]);
});

test('a settled file is not read again, in this process or the next', async () => {
  const {root} = await filled();
  await (await reopened(root)).digestOfFile('LICENSE');
  const planted = digestOf('planted');
  const index = new RecordIndex(join(root, 'index.sqlite'));
  index.setFileDigest(resolve('LICENSE'), fileStamp(statusOf('LICENSE')), planted);
  index.close();
  expect(await (await reopened(root)).digestOfFile('LICENSE')).toBe(planted);
});

test('a digest of a file that was changed in the index is not believed', async () => {
  const {root} = await filled();
  const digest = await (await reopened(root)).digestOfFile('LICENSE');
  const database = new DatabaseSync(join(root, 'index.sqlite'));
  database.prepare('update file set digest = ? where digest = ?').run(digestOf('planted'), digest);
  database.close();
  expect(await (await reopened(root)).digestOfFile('LICENSE')).toBe(digest);
});
