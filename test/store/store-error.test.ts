import {existsSync} from 'node:fs';
import {expect, test} from 'vitest';
import {StoreError, storeError} from '../../src/store/store-error.ts';
import {reopened} from '../rig/temporary-store.ts';

const system = (code: string) => Object.assign(new Error(`${code}: words of the system`), {code});

test.each([
  ['ENOSPC', 'store-full', 'the disk is full', 'Free some space'],
  ['EDQUOT', 'store-full', 'the disk is full', 'Free some space'],
  ['EACCES', 'store-no-rights', 'no permission', 'chmod'],
  ['EROFS', 'store-read-only', 'read-only', '--cache'],
  ['EMFILE', 'store-failed', 'too many files', 'ulimit'],
  ['EIO', 'store-failed', 'words of the system', 'disk'],
])('%s is told as what happened, where, and what to do', (code, ours, message, hint) => {
  const error = storeError(system(code), 'write a result to', '/data/cache');
  if (!(error instanceof StoreError)) throw new Error('not ours');
  expect(error.code).toBe(ours);
  expect(error.message).toContain('Cannot write a result to the cache at /data/cache');
  expect(error.message).toContain(message);
  expect(error.hint).toContain(hint);
});

test('a bug of ours is not made to look like a fault of the disk', () => {
  const bug = new TypeError('x is not a function');
  expect(storeError(bug, 'read', '/data/cache')).toBe(bug);
  const internal = system('ERR_INVALID_ARG_TYPE');
  expect(storeError(internal, 'read', '/data/cache')).toBe(internal);
});

test.skipIf(!existsSync('/sys/kernel'))(
  'a place where no folder can be made is an error of the first write, with a hint',
  async () => {
    const store = await reopened('/sys/basin-cache');
    expect(store.recordsOfStage('finetune')).toEqual([]);
    await expect(store.draftFolder()).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringContaining('/sys/basin-cache'),
      hint: expect.stringContaining('--cache'),
    });
  },
);
