import {existsSync, lstatSync} from 'node:fs';
import {readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {collectGarbage} from '../../src/store/collect-garbage.ts';
import {draftOf, keyOf, reopened, temporaryFolder, temporaryStore} from '../rig/temporary-store.ts';

// What a link in a store leads to is somebody's: no file of the store is read or written by way of one.

const PREIMAGE = {stage: 'a'};
const KEY = keyOf(PREIMAGE);
const PIPELINE = {place: 'p', name: 'p'};
const TEXT = '1\n';

/** Everything that opens one of the files by name. */
async function useAll(root: string): Promise<void> {
  const store = await reopened(root);
  try {
    await collectGarbage(store, {budget: 1e9, dryRun: true});
    await store.digestOfFile('LICENSE');
    await store.scratchFolder(KEY);
    await store.tryLeases([KEY], async () => {});
    store.remember(PIPELINE, [{instance: 'b', key: KEY}]);
    await store.forget(KEY, 'as a test wants it');
    store.openRunLog('run').close();
    await collectGarbage(store, {budget: 1e9, dryRun: false});
  } finally {
    await store.close();
  }
}

async function withLink(name: string, target: string): Promise<string> {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  store.remember(PIPELINE, [{instance: 'a', key: KEY}]);
  await store.close();
  await rm(join(store.root, name), {force: true});
  await symlink(target, join(store.root, name));
  return store.root;
}

const FILES = ['leases', 'FORMAT', 'runs/remembered.jsonl', 'runs/forgotten.jsonl'];

test.each(FILES)('%s that is a link is told, and what it leads to stays as it is', async (name) => {
  const theirs = join(await temporaryFolder(), 'theirs');
  await writeFile(theirs, TEXT);
  const root = await withLink(name, theirs);
  await expect(useAll(root)).rejects.toMatchObject({
    code: 'store-is-a-link',
    message: expect.stringContaining(`${join(root, name)} is a link`),
    hint: expect.stringContaining('Remove the link'),
  });
  expect(await readFile(theirs, 'utf8')).toBe(TEXT);
  await rm(join(root, name));
  if (name !== 'FORMAT') await useAll(root);
});

test.each(FILES)('nothing is made where %s leads to when it is a link to nothing', async (name) => {
  const theirs = join(await temporaryFolder(), 'theirs');
  const root = await withLink(name, theirs);
  await expect(useAll(root)).rejects.toMatchObject({code: 'store-is-a-link'});
  expect(existsSync(theirs)).toBe(false);
  expect(lstatSync(join(root, name)).isSymbolicLink()).toBe(true);
});

test('asking the disk for its time takes nothing from the file that is asked', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  await store.close();
  await writeFile(join(store.root, 'leases'), TEXT);
  await useAll(store.root);
  expect(await readFile(join(store.root, 'leases'), 'utf8')).toBe(TEXT);
});

test('a cache that is itself a link is like every other', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  await store.close();
  const link = join(await temporaryFolder(), 'link');
  await symlink(store.root, link);
  expect((await reopened(link)).records([KEY]).size).toBe(1);
  await useAll(link);
});
