import {randomUUID} from 'node:crypto';
import {existsSync, readdirSync} from 'node:fs';
import {mkdir, readFile, rm, utimes, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {expect, test} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {draftOf, keyOf, reopened, temporaryFolder, temporaryStore} from '../rig/temporary-store.ts';

// A folder that is not ours is never harmed, and one that may be ours can be used.

/** A folder with these files; a path that ends with a slash is an empty folder. */
async function folderWith(paths: readonly string[]): Promise<string> {
  const root = await temporaryFolder();
  for (const path of paths) {
    await mkdir(join(root, path.endsWith('/') ? path : dirname(path)), {recursive: true});
    if (!path.endsWith('/')) await writeFile(join(root, path), '');
  }
  return root;
}
const everythingIn = (root: string): readonly string[] => readdirSync(root, {recursive: true, encoding: 'utf8'}).sort();

const PREIMAGE = {stage: 'a'};
const DRAFT_OF_FORMAT = `tmp/format-${randomUUID()}`;

test.each([
  ['a file', ['package.json'], 'package.json'],
  ['a folder', ['src/'], 'src'],
  ['a folder named like ours, with something in it', ['.git/', 'tmp/sessions/s1'], 'tmp/sessions'],
  ['something in an own place', ['keys/ab/notes.txt'], 'keys/ab'],
  ['a database', ['index.sqlite'], 'index.sqlite'],
  ['drafts beside something else', [DRAFT_OF_FORMAT, 'tmp/mine'], 'tmp/mine'],
])('a folder with %s is no store: it is refused, also for reading, and stays as it is', async (_, paths, named) => {
  const root = await folderWith(paths);
  const before = everythingIn(root);
  for (const options of [{}, {readOnly: true}])
    await expect(reopened(root, options)).rejects.toMatchObject({
      code: 'store-foreign',
      message: expect.stringContaining(`as "${named}"`),
      hint: expect.stringContaining('--cache DIR'),
    });
  expect(everythingIn(root)).toEqual(before);
});

test.each([
  ['nothing', []],
  [
    'what people and version control put there',
    ['.gitignore', '.gitkeep', '.git/config', 'README.md', 'README', 'CACHEDIR.TAG'],
  ],
  ['what a file system puts there', ['lost+found/', '.Trash-0/']],
  ['what a basin left that died in between', ['tmp/']],
  ['a draft of its own', [DRAFT_OF_FORMAT]],
  ['what earlier ones made first', ['keys/', 'blobs/', 'runs/', 'scratch/', DRAFT_OF_FORMAT, 'leases']],
])('a folder with %s is looked at without a trace, and can be used', async (_, paths) => {
  const root = await folderWith(paths);
  const before = everythingIn(root);
  const store = await reopened(root);
  expect(store.records([keyOf(PREIMAGE)]).size).toBe(0);
  expect(await store.digestOfFile('LICENSE')).toMatch(/^[0-9a-f]{64}$/);
  expect(everythingIn(root)).toEqual(before);
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  await store.close();
  const again = await reopened(root);
  expect(again.records([keyOf(PREIMAGE)]).size).toBe(1);
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  expect(everythingIn(root)).toEqual(expect.arrayContaining(before.filter((path) => path !== DRAFT_OF_FORMAT)));
});

test('a folder that somebody else filled since it was looked at is refused when it would be written to', async () => {
  const root = await temporaryFolder();
  const store = await reopened(root);
  await writeFile(join(root, 'theirs'), '');
  await expect(store.draftFolder()).rejects.toMatchObject({code: 'store-foreign'});
  expect(everythingIn(root)).toEqual(['theirs']);
});

test('a store that lost its FORMAT says so, and has everything when that is there again', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  await store.close();
  const format = join(store.root, 'FORMAT');
  const text = await readFile(format, 'utf8');
  await rm(format);
  await expect(reopened(store.root)).rejects.toMatchObject({
    code: 'store-format',
    message: expect.stringContaining('lost its file FORMAT'),
    hint: expect.stringContaining(`a line that says ${text.trim()}`),
  });
  await writeFile(format, text);
  expect((await reopened(store.root)).records([keyOf(PREIMAGE)]).size).toBe(1);
  expect(await store.readBlob(digestOf('w'))).toBeInstanceOf(Uint8Array);
});

test('what is not called as a draft is nobody’s to remove from tmp/, however old', async () => {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, PREIMAGE, {weights: 'w'}));
  const [theirs, ours] = [join(store.root, 'tmp', 'theirs'), join(store.root, 'tmp', `1-${randomUUID()}`)];
  for (const path of [theirs, ours]) {
    await writeFile(path, '');
    await utimes(path, 1e9, 1e9);
  }
  await reopened(store.root);
  expect([theirs, ours].map((path) => existsSync(path))).toEqual([true, false]);
});
