import {existsSync, utimesSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, expect, test, vi} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {collectGarbage} from '../../src/store/collect-garbage.ts';
import type {Store} from '../../src/store/store.ts';
import {recordPath} from '../../src/store/store-layout.ts';
import {verifyStore} from '../../src/store/verify-store.ts';
import {draftOf, keyOf, reopened, temporaryStore} from '../rig/temporary-store.ts';

// What records name is not known where they cannot be read: the system answers so for one file or folder, also to root.

const disk = vi.hoisted(() => {
  const state = {path: '', code: '', hours: 0};
  const answer = () => Object.assign(new Error(`${state.code}: as the test wants it`), {code: state.code});
  return {
    state,
    read(path: unknown) {
      if (path === state.path) throw answer();
    },
  };
});

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const readdirSync = (path: string) => {
    disk.read(path);
    return real.readdirSync(path);
  };
  const readFileSync = (...args: Parameters<typeof real.readFileSync>) => {
    disk.read(args[0]);
    return real.readFileSync(...args);
  };
  const openSync = (...args: Parameters<typeof real.openSync>) => {
    disk.read(args[0]);
    return real.openSync(...args);
  };
  return {...real, readdirSync, readFileSync, openSync};
});

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    lstat: async (path: string) => {
      const status = await real.lstat(path);
      status.ctimeMs -= disk.state.hours * 3_600_000;
      return status;
    },
    readdir: async (path: string, options: {withFileTypes: true}) => {
      disk.read(path);
      return real.readdir(path, options);
    },
    readFile: async (...args: Parameters<typeof real.readFile>) => {
      disk.read(args[0]);
      return real.readFile(...args);
    },
  };
});

const NUMBERS = [1, 2, 3];
const preimage = (number: number) => ({format: 1, stage: 'seven', version: 1, params: {number}, inputs: {}});

/** Closed, with three results, and one payload that nobody ever named. */
async function filled(): Promise<Store> {
  const store = await temporaryStore();
  for (const number of NUMBERS) await store.publish(await draftOf(store, preimage(number), {weights: String(number)}));
  store.remember({place: 'p', name: 'p'}, [{instance: 'a', key: keyOf(preimage(1))}]);
  await store.close();
  return store;
}
const payloadsOf = (store: Store): readonly boolean[] =>
  NUMBERS.map((number) => existsSync(store.blobPath(digestOf(String(number)))));
const ALL_THERE = [true, true, true];
const BUDGET = {budget: 1e12, dryRun: false};

beforeEach(() => {
  Object.assign(disk.state, {path: '', code: '', hours: 2});
});

const second = (root: string): string => recordPath(root, keyOf(preimage(2)));
const PLACES = [
  ['the folder of all records', (root: string) => join(root, 'keys')],
  ['a folder of records', (root: string) => join(second(root), '..')],
  ['a record', second],
  ['the memory of keys', (root: string) => join(root, 'runs', 'remembered.jsonl')],
] as const;

test.for(
  PLACES.flatMap(([what, pathOf]) => (['EACCES', 'EIO', 'ESTALE'] as const).map((code) => ({what, pathOf, code}))),
)('gc removes nothing where $what cannot be read for $code, and tells', async ({what, pathOf, code}) => {
  const {root} = await filled();
  Object.assign(disk.state, {path: pathOf(root), code});
  const store = await reopened(root);
  if (what === 'a record') store.rebuildIndex();
  const why = code === 'EACCES' ? 'no permission' : `${code}: as the test wants it`;
  const message = {
    'a record': `Cannot remove payloads from the cache at ${root}: its record ${second(root)} cannot be read (${why}), so nobody knows which payloads it names.`,
    'the memory of keys': `Cannot remove payloads from the cache at ${root}: ${why}.`,
    'the folder of all records': `Cannot read the cache at ${root}: ${why}.`,
    'a folder of records': `Cannot read the cache at ${root}: ${why}.`,
  }[what];
  await expect(collectGarbage(store, BUDGET)).rejects.toMatchObject({message, hint: expect.any(String)});
  expect(payloadsOf(store)).toEqual(ALL_THERE);
  disk.state.path = '';
  expect((await collectGarbage(store, BUDGET)).evictions).toEqual([]);
  expect(payloadsOf(store)).toEqual(ALL_THERE);
});

test('what an index has noted of a record while that could not be read does not hold when it can be', async () => {
  const {root} = await filled();
  Object.assign(disk.state, {path: second(root), code: 'EACCES'});
  const anHourAgo = Date.now() / 1000 - 3600; // of a folder that changed just now nothing is noted
  utimesSync(join(second(root), '..'), anHourAgo, anHourAgo);
  const store = await reopened(root);
  store.rebuildIndex();
  expect(store.records([keyOf(preimage(2))]).size).toBe(0);
  await store.close();
  disk.state.path = '';
  const later = await reopened(root);
  expect(later.costs().length).toBe(3);
  expect((await collectGarbage(later, BUDGET)).evictions).toEqual([]);
});

test('verify names a folder of records that it cannot read, and reads the rest', async () => {
  const {root} = await filled();
  const path = join(second(root), '..');
  Object.assign(disk.state, {path, code: 'EACCES'});
  expect(await verifyStore(await reopened(root))).toMatchObject({
    ...{damagedPayloads: [], damagedRecords: [], falseTables: [], differsInIndex: []},
    ...{records: 2, payloads: 3, gone: 0},
    notRead: [{path, why: 'no permission'}],
  });
});
