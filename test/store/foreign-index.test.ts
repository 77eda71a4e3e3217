import {copyFileSync, readdirSync} from 'node:fs';
import {cp, mkdir, readFile, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {expect, test} from 'vitest';
import type {Store} from '../../src/store/store.ts';
import {draftOf, keyOf, reopened, temporaryFolder, temporaryStore} from '../rig/temporary-store.ts';

// A file in the place of the index that is not ours is neither written nor removed, and the store does without.

const PIPELINE = {place: 'p', name: 'p'};
const A = {stage: 'a'};
const B = {stage: 'b'};
const INDEX = 'index.sqlite';

async function filled(): Promise<string> {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, A, {weights: 'a'}));
  store.remember(PIPELINE, [{instance: 'one', key: keyOf(A)}]);
  await store.close();
  return store.root;
}

function database(path: string, sql: string): void {
  const made = new DatabaseSync(path);
  made.exec(sql);
  made.close();
}

/** All that a run, `explain` and `gc` ask for and write. */
async function useAll(store: Store): Promise<void> {
  expect([...store.records([keyOf(A)]).keys()]).toEqual([keyOf(A)]);
  await store.publish(await draftOf(store, B, {weights: 'b'}));
  expect(store.recordsOfStage('b')).toHaveLength(1);
  expect(store.costs()).toHaveLength(2);
  store.remember(PIPELINE, [{instance: 'one', key: keyOf(B)}]);
  expect(store.keyHistory(PIPELINE, 'one')).toEqual([keyOf(B), keyOf(A)]);
  store.rebuildIndex();
  expect(store.records([keyOf(A), keyOf(B)]).size).toBe(2);
}

const FOREIGN: Readonly<Record<string, (path: string) => void | Promise<void>>> = {
  'a database of an application': (path) =>
    database(path, "create table note(text); insert into note values ('theirs')"),
  'one with a version as ours had': (path) => database(path, 'pragma user_version = 2; create table record(key)'),
  'one that is signed': (path) => database(path, 'pragma application_id = 77; create table notes(text)'),
  'one with a write-ahead log': (path) => database(path, 'pragma journal_mode = wal; create table notes(text)'),
  'no database that we can read': (path) => writeFile(path, 'encrypted '.repeat(1000)),
};

test.each(Object.keys(FOREIGN))('%s in the place of the index stays as it is', async (kind) => {
  const root = await filled();
  const path = join(root, INDEX);
  await rm(path);
  await FOREIGN[kind]?.(path);
  const [before, names] = [await readFile(path), readdirSync(root)];
  const store = await reopened(root);
  await useAll(store);
  await store.close();
  expect((await readFile(path)).equals(before)).toBe(true);
  expect(readdirSync(root)).toEqual(names);
});

test.each(['ours', 'theirs', 'nothing'])('a link to %s in the place of the index is not followed', async (kind) => {
  const root = await filled();
  const target = join(await temporaryFolder(), 'target.sqlite');
  if (kind === 'ours') copyFileSync(join(root, INDEX), target);
  if (kind === 'theirs') database(target, 'create table notes(text)');
  const before = kind === 'nothing' ? undefined : await readFile(target);
  await rm(join(root, INDEX));
  await symlink(target, join(root, INDEX));
  const store = await reopened(root);
  await useAll(store);
  await store.close();
  expect(await readFile(target).catch(() => undefined)).toEqual(before);
  expect(readdirSync(join(target, '..'))).toEqual(before ? ['target.sqlite'] : []);
});

test('a folder in the place of the index stays', async () => {
  const root = await filled();
  await rm(join(root, INDEX));
  await mkdir(join(root, INDEX));
  await useAll(await reopened(root));
  expect(readdirSync(join(root, INDEX))).toEqual([]);
});

test('a database that takes the place of the index while a store is open stays as it is', async () => {
  const root = await filled();
  const store = await reopened(root);
  expect(store.records([keyOf(A)]).size).toBe(1);
  const theirs = join(root, 'theirs.sqlite');
  database(theirs, 'create table notes(text)');
  const before = await readFile(theirs);
  await rename(theirs, join(root, INDEX));
  await useAll(store);
  await store.close();
  expect((await readFile(join(root, INDEX))).equals(before)).toBe(true);
});

const recordsIn = (path: string): number => {
  const made = new DatabaseSync(path, {readOnly: true});
  const rows = made.prepare('select key from record').all();
  made.close();
  return rows.length;
};

/** As version 1 made it, without a signature; 2 had sums beside. */
const UNSIGNED = `
  create table record(key text primary key, folder text, stage text, static text, preimage text, outputs text, seconds real);
  create table folder(name text primary key, mtime text not null) without rowid;
  create table remembered(sequence integer primary key, pipeline text, instance text, key text);
  create table file(path text primary key, stamp text not null, digest text not null) without rowid;
  create table note(name text primary key, value text not null) without rowid;`;

test.each([1, 2])('an index that an earlier basin made is ours: version %i, without a signature', async (version) => {
  const root = await filled();
  const path = join(root, INDEX);
  await rm(path);
  database(path, `${UNSIGNED} pragma user_version = ${version}; pragma journal_mode = wal`);
  await useAll(await reopened(root));
  const store = await reopened(root);
  store.records([keyOf(A)]);
  await store.close();
  expect(recordsIn(path)).toBe(2);
});

test('an index whose process died before it was in its file is ours', async () => {
  const root = await filled();
  const living = await reopened(root);
  living.rebuildIndex();
  const copy = join(await temporaryFolder(), 'copy');
  await cp(root, copy, {recursive: true, filter: (path) => !/-(wal|shm)$/.test(path)});
  const store = await reopened(copy);
  await useAll(store);
  await store.close();
  expect(recordsIn(join(copy, INDEX))).toBe(2);
});
