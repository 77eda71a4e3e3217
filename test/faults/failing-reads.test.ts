import {rm} from 'node:fs/promises';
import {dirname} from 'node:path';
import {beforeEach, expect, test, vi} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import type {Store} from '../../src/store/store.ts';
import {recordPath} from '../../src/store/store-layout.ts';
import {verifyStore} from '../../src/store/verify-store.ts';
import {draftOf, keyOf, temporaryStore} from '../rig/temporary-store.ts';

// What is read while it is removed, without rights or from a disk that fails: the system answers so for one file, also to root.

const disk = vi.hoisted(() => {
  const state = {path: '', code: ''};
  return {
    state,
    read(path: unknown) {
      if (path !== state.path) return;
      throw Object.assign(new Error(`${state.code}: as the test wants it`), {code: state.code, syscall: 'open'});
    },
  };
});

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return {
    ...real,
    openSync: (...args: Parameters<typeof real.openSync>) => {
      disk.read(args[0]);
      return real.openSync(...args);
    },
  };
});

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    readFile: async (...args: Parameters<typeof real.readFile>) => {
      disk.read(args[0]);
      return real.readFile(...args);
    },
    readdir: async (path: string, options: {withFileTypes: true}) => {
      disk.read(path);
      return real.readdir(path, options);
    },
  };
});

const preimage = (number: number) => ({format: 1, stage: 'seven', version: 1, params: {number}, inputs: {}});

async function filled(): Promise<Store> {
  const store = await temporaryStore();
  for (const number of [1, 2, 3])
    await store.publish(await draftOf(store, preimage(number), {weights: String(number)}));
  return store;
}

beforeEach(() => {
  Object.assign(disk.state, {path: ''});
});

const FILES = [
  ['a record', (store: Store) => recordPath(store.root, keyOf(preimage(2)))],
  ['a payload', (store: Store) => store.blobPath(digestOf('2'))],
] as const;
const WHOLE = {damagedPayloads: [], damagedRecords: [], falseTables: [], differsInIndex: []};

test.for(
  FILES.flatMap(([what, pathOf]) => (['EACCES', 'EIO', 'ELOOP'] as const).map((code) => ({what, pathOf, code}))),
)('verify names $what that it cannot read for $code, and reads the rest', async ({pathOf, code}) => {
  const store = await filled();
  const path = pathOf(store);
  await rm(store.blobPath(digestOf('3')));
  Object.assign(disk.state, {path, code});
  expect(await verifyStore(store)).toMatchObject({
    ...WHOLE,
    records: path.endsWith('.json') ? 2 : 3,
    payloads: path.endsWith('.json') ? 2 : 1,
    gone: 1,
    notRead: [{path, why: code === 'EACCES' ? 'no permission' : `${code}: as the test wants it`}],
  });
});

test('verify names a folder that it cannot read, and does not take what lies in it for removed', async () => {
  const store = await filled();
  const path = dirname(store.blobPath(digestOf('2')));
  Object.assign(disk.state, {path, code: 'EACCES'});
  expect(await verifyStore(store)).toMatchObject({
    ...WHOLE,
    ...{records: 3, payloads: 2, gone: 0},
    notRead: [{path, why: 'no permission'}],
  });
});

test.for(FILES)('%s that is removed while verify reads is no fault', async ([, pathOf]) => {
  const store = await filled();
  const path = pathOf(store);
  Object.assign(disk.state, {path, code: 'ENOENT'});
  expect(await verifyStore(store)).toMatchObject({
    ...WHOLE,
    records: path.endsWith('.json') ? 2 : 3,
    payloads: path.endsWith('.json') ? 3 : 2,
    notRead: [],
  });
});
