import {execFile} from 'node:child_process';
import {existsSync, readdirSync} from 'node:fs';
import {mkdir, readFile, rm, truncate, writeFile} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {recordPath} from '../../src/store/store-layout.ts';
import {verifyStore} from '../../src/store/verify-store.ts';
import {draftOf, keyOf, reopened, temporaryFolder, temporaryStore} from '../rig/temporary-store.ts';
import {writable} from '../rig/writable.ts';

const PREIMAGE = {format: 1, stage: 'finetune', version: 1, params: {lr: 0.1}, inputs: {}};
const KEY = keyOf(PREIMAGE);

test('asking an empty store writes nothing at all', async () => {
  const store = await temporaryStore();
  expect(store.records([KEY]).size).toBe(0);
  expect(store.lastKeys({place: 'p', name: 'p'}, ['a']).size).toBe(0);
  expect(store.recordsOfStage('finetune')).toEqual([]);
  await store.digestOfFile('package.json');
  expect(existsSync(store.root)).toBe(false);
});

test('what is published is found, by this store and by the next', async () => {
  const store = await temporaryStore();
  const record = await store.publish(await draftOf(store, PREIMAGE, {weights: 'w', metrics: 'm'}, {seconds: 2}));
  expect(record.outputs.weights).toEqual({kind: 'weights', digest: digestOf('w'), bytes: 1});
  expect(store.records([KEY]).get(KEY)).toEqual(record);
  const next = await reopened(store.root);
  expect(next.records([KEY]).get(KEY)).toEqual(record);
  expect(next.recordsOfStage('finetune')).toEqual([record]);
  expect(await next.readBlob(digestOf('w'))).toEqual(new TextEncoder().encode('w'));
});

test('a record keeps its small tables', async () => {
  const store = await temporaryStore();
  const draft = await draftOf(store, PREIMAGE, {summary: 's'}, {kinds: {summary: 'summary'}});
  const {summary} = draft.outputs;
  if (!summary) throw new Error('no summary');
  const rows = [{split: 'test', error_instability: 0.1 + 0.2, stable: true}];
  await store.publish({...draft, outputs: {summary: {...summary, rows: 1, inline: rows}}});
  expect((await reopened(store.root)).records([KEY]).get(KEY)?.outputs.summary?.inline).toEqual(rows);
});

test('a digit that was changed in the small table of a record makes it a miss; a record of before there was a check stands', async () => {
  const store = await temporaryStore();
  const draft = await draftOf(store, PREIMAGE, {summary: 's'}, {kinds: {summary: 'summary'}});
  const {summary} = draft.outputs;
  if (!summary) throw new Error('no summary');
  await store.publish({...draft, outputs: {summary: {...summary, rows: 1, inline: [{error: 1.25}]}}});
  await store.close();
  const path = recordPath(store.root, KEY);
  const text = await readFile(path, 'utf8');
  const found = async (written: string) => {
    await writeFile(path, written);
    await rm(join(store.root, 'index.sqlite'), {force: true});
    return (await reopened(store.root)).records([KEY]).get(KEY)?.outputs.summary?.inline;
  };
  expect(await found(text.replace('1.25', '7.25'))).toBeUndefined();
  expect(await found(text.replace('"seconds":0', '"seconds":1'))).toBeUndefined();
  expect(await found(text.replace(/"check":"[0-9a-f]*",/, ''))).toEqual([{error: 1.25}]);
});

test('nothing stays in tmp after publishing and closing', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  await store.close();
  expect(readdirSync(join(store.root, 'tmp'))).toEqual([]);
});

test('a folder for drafts is given out again when it is empty and nobody can write to it any more, and is gone else', async () => {
  const store = await temporaryStore();
  const [empty, unfinished, used] = [await store.draftFolder(), await store.draftFolder(), await store.draftFolder()];
  await writeFile(join(used, 'left'), '');
  await store.releaseDraftFolder(unfinished, false);
  await store.releaseDraftFolder(used, true);
  await store.releaseDraftFolder(empty, true);
  const next = [await store.draftFolder(), await store.draftFolder(), await store.draftFolder()];
  expect(next[0]).toBe(empty);
  expect(next).not.toContain(unfinished);
  expect(next).not.toContain(used);
  expect(next.map((folder) => existsSync(folder))).toEqual([true, true, true]);
  expect([unfinished, used].map((folder) => existsSync(folder))).toEqual([false, false]);
});

test('a key that has a whole result keeps it, whatever comes later', async () => {
  const store = await temporaryStore();
  const first = await store.publish(await draftOf(store, PREIMAGE, {weights: 'first'}));
  const later = await draftOf(store, PREIMAGE, {weights: 'second'});
  expect(await store.publish(later)).toEqual(first);
  expect(store.hasBlob(digestOf('second'))).toBe(false);
  expect(existsSync(later.outputs.weights?.draft ?? '')).toBe(false);
});

test('a result whose payload is gone gives way to a new one', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'first'}));
  await rm(store.blobPath(digestOf('first')));
  const second = await store.publish(await draftOf(store, PREIMAGE, {weights: 'second'}));
  expect(second.outputs.weights?.digest).toBe(digestOf('second'));
  expect((await reopened(store.root)).records([KEY]).get(KEY)).toEqual(second);
});

test('a result that took the place of another is the one that is found, also when its driver died at once', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'first'}));
  await store.close();
  const dying = await reopened(store.root); // what it has not told the index yet, it never will
  expect(dying.records([KEY]).get(KEY)?.outputs.weights?.digest).toBe(digestOf('first'));
  const second = await dying.publish({...(await draftOf(dying, PREIMAGE, {weights: 'second'})), replace: true});
  expect((await reopened(store.root)).records([KEY]).get(KEY)).toEqual(second);
});

test('a damaged blob is told from a missing one, and publishing the same bytes again heals both', async () => {
  const store = await temporaryStore();
  const digest = digestOf('good');
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'good'}));
  await writeFile(writable(store.blobPath(digest)), 'g00d');
  expect(await store.readBlob(digest)).toBe('damaged');
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'good'}));
  expect(await store.readBlob(digest)).toEqual(new TextEncoder().encode('good'));
  await rm(store.blobPath(digest));
  expect(await store.readBlob(digest)).toBe('missing');
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'good'}));
  expect(await store.readBlob(digest)).toEqual(new TextEncoder().encode('good'));
});

test('a cut blob is damaged, and not there for who asks with its size', async () => {
  const store = await temporaryStore();
  const digest = digestOf('whole');
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'whole'}));
  await truncate(writable(store.blobPath(digest)), 3);
  expect(await store.readBlob(digest)).toBe('damaged');
  expect(store.hasBlob(digest, 5)).toBe(false);
});

test('a damaged blob is discarded, a good one is not', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'a', mask: 'b'}));
  await writeFile(writable(store.blobPath(digestOf('a'))), 'x');
  await store.discardBlob(digestOf('a'));
  await store.discardBlob(digestOf('b'));
  expect([store.hasBlob(digestOf('a')), store.hasBlob(digestOf('b'))]).toEqual([false, true]);
});

test('a damaged blob is discarded without being in memory', async () => {
  const store = await temporaryStore();
  const digest = digestOf('large');
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'large'}));
  await truncate(writable(store.blobPath(digest)), 600e6);
  const discarder = join(import.meta.dirname, '..', 'rig', 'discard-worker.ts');
  const {stdout} = await promisify(execFile)(process.execPath, [discarder, store.root, digest]);
  expect(store.hasBlob(digest)).toBe(false);
  expect(Number(stdout)).toBeGreaterThan(0);
  expect(Number(stdout)).toBeLessThan(400e6);
});

test('a folder in the place of a blob is damaged like a blob of other bytes, and discarded', async () => {
  const store = await temporaryStore();
  const digest = digestOf('a');
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'a'}));
  await rm(store.blobPath(digest));
  await mkdir(join(store.blobPath(digest), 'within'), {recursive: true});
  expect(await store.readBlob(digest)).toBe('damaged');
  await store.discardBlob(digest);
  expect(await store.readBlob(digest)).toBe('missing');
});

test('a forgotten key is a miss here and after reopening, its good blobs stay, and the reason is noted', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'a', mask: 'b'}));
  await writeFile(writable(store.blobPath(digestOf('a'))), 'x');
  await store.forget(KEY, 'its weights are damaged');
  expect(store.records([KEY]).size).toBe(0);
  expect((await reopened(store.root)).records([KEY]).size).toBe(0);
  expect([store.hasBlob(digestOf('a')), store.hasBlob(digestOf('b'))]).toEqual([false, true]);
  expect(await readFile(join(store.root, 'runs', 'forgotten.jsonl'), 'utf8')).toContain('its weights are damaged');
});

test('scratch stays between attempts and goes when the key is published', async () => {
  const store = await temporaryStore();
  const scratch = await store.scratchFolder(KEY);
  await writeFile(join(scratch, 'position'), '1');
  expect(await store.scratchFolder(KEY)).toBe(scratch);
  expect(existsSync(join(scratch, 'position'))).toBe(true);
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  expect(existsSync(scratch)).toBe(false);
});

test.each(['', '{"key":', '{}', '[]', 'null', '{"key": 1, "preimage": {}, "outputs": {}, "seconds": 0}'])(
  'a record file that says %j is a miss, and publishing mends it',
  async (text) => {
    const root = join(await temporaryFolder(), 'cache');
    await mkdir(dirname(recordPath(root, KEY)), {recursive: true});
    await writeFile(join(root, 'FORMAT'), '1\n');
    await writeFile(recordPath(root, KEY), text);
    const store = await reopened(root);
    expect(store.records([KEY]).size).toBe(0);
    const record = await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
    expect((await reopened(root)).records([KEY]).get(KEY)).toEqual(record);
  },
);

test.each([
  ['"seconds":0', '"seconds":-1e999'],
  ['"seconds":0', '"seconds":-1'],
  ['"bytes":1', '"bytes":1,"rows":1,"inline":[{"error":1e999}]'],
  ['"bytes":1', '"bytes":1,"rows":1,"inline":[{"split":"\\ud800"}]'],
  ['"lr":0.1', '"lr":1e999'],
])('a record without a check in which %s became %s is a miss, and verify names it', async (from, to) => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  await store.close();
  const path = recordPath(store.root, KEY);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/"check":"[0-9a-f]*",/, '').replace(from, to));
  await rm(join(store.root, 'index.sqlite'));
  const next = await reopened(store.root);
  expect(next.records([KEY]).size).toBe(0);
  expect(await verifyStore(next)).toMatchObject({damagedRecords: [KEY]});
  await next.publish(await draftOf(next, PREIMAGE, {weights: 'w'}));
  expect(await verifyStore(next)).toMatchObject({damagedRecords: []});
});

test('a record under another key than its preimage has is not believed', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  const other = keyOf({...PREIMAGE, params: {lr: 0.2}});
  const text = await readFile(recordPath(store.root, KEY), 'utf8');
  await mkdir(dirname(recordPath(store.root, other)), {recursive: true});
  await writeFile(recordPath(store.root, other), text);
  expect((await reopened(store.root)).records([other]).size).toBe(0);
});

test('a store of a newer basin is refused with what to do', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'FORMAT'), '2\n');
  await expect(reopened(folder)).rejects.toMatchObject({
    code: 'store-format',
    message: expect.stringContaining('newer basin'),
    hint: expect.stringContaining('--cache'),
  });
});

test('a cache path that is a file, or lies under one, is refused', async () => {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, '');
  await expect(reopened(file)).rejects.toMatchObject({code: 'store-is-a-file'});
  await expect(reopened(join(file, 'cache'))).rejects.toMatchObject({code: 'store-is-a-file'});
});

test('a store opened for reading answers and refuses to write', async () => {
  const store = await temporaryStore();
  const record = await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  await store.close();
  await rm(join(store.root, 'index.sqlite'));
  const before = readdirSync(store.root).sort();
  const reader = await reopened(store.root, {readOnly: true});
  expect(reader.records([KEY]).get(KEY)).toEqual(record);
  await expect(reader.draftFolder()).rejects.toMatchObject({code: 'store-read-only'});
  expect(readdirSync(store.root).sort()).toEqual(before);
});

test('a run log is a new file each time, one event a line', async () => {
  const store = await temporaryStore();
  const [first, second] = [store.openRunLog('a/../b run'), store.openRunLog('a/../b run')];
  first.append({event: 'one', text: 'a\nb'});
  first.append({event: 'two'});
  first.close();
  second.close();
  expect(second.path).not.toBe(first.path);
  expect(dirname(first.path)).toBe(join(store.root, 'runs'));
  expect(
    (await readFile(first.path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([{event: 'one', text: 'a\nb'}, {event: 'two'}]);
});

test('the log of a run of a pipeline with a long name has as much of it as a file may, twice too', async () => {
  const store = await temporaryStore();
  const [first, second] = ['a', 'b'].map((end) =>
    store.openRunLog(`2026-11-30T120000.000Z-${'ü'.repeat(100)}${'x'.repeat(300)}${end}`),
  );
  expect(first?.path).not.toBe(second?.path);
  for (const log of [first, second]) {
    expect(log?.append({event: 'one'})).toBe(undefined);
    log?.close();
    expect(await readFile(log?.path ?? '', 'utf8')).toBe('{"event":"one"}\n');
    expect(basename(log?.path ?? '')).toMatch(/^2026-11-30T120000\.000Z--x+(-2)?\.jsonl$/);
  }
});
