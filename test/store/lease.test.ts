import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {withLease} from '../../src/store/lease.ts';
import {keyOf, temporaryFolder} from '../rig/temporary-store.ts';

const KEY = keyOf({number: 1});
const OTHER = keyOf({number: 2});

test('who wants a key that is being worked on is told, waits, and comes next', async () => {
  const root = await temporaryFolder();
  const order: string[] = [];
  const {promise: waiting, resolve: isWaiting} = Promise.withResolvers<void>();
  const first = withLease(root, KEY, async () => {
    order.push('first starts');
    await waiting;
    order.push('first ends');
  });
  const second = withLease(root, KEY, async () => order.push('second'), {waiting: isWaiting});
  await Promise.all([first, second]);
  expect(order).toEqual(['first starts', 'first ends', 'second']);
});

test('another key does not wait', async () => {
  const root = await temporaryFolder();
  await withLease(root, KEY, () =>
    withLease(root, OTHER, async () => undefined, {waiting: () => expect.fail('waited')}),
  );
});

test('waiting can be given up', async () => {
  const root = await temporaryFolder();
  const stop = new AbortController();
  await withLease(root, KEY, async () => {
    const second = withLease(root, KEY, async () => undefined, {signal: stop.signal, waiting: () => stop.abort()});
    await expect(second).rejects.toMatchObject({name: 'AbortError'});
  });
});

test('work that fails gives its lease back', async () => {
  const root = await temporaryFolder();
  await expect(withLease(root, KEY, () => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
  await withLease(root, KEY, async () => undefined, {waiting: () => expect.fail('waited')});
});

test('a place without a store says so', async () => {
  const root = await temporaryFolder();
  await mkdir(`${root}/leases`);
  await expect(withLease(root, KEY, async () => undefined)).rejects.toMatchObject({hint: expect.any(String)});
});

test('the lease of a killed process is free', async () => {
  const root = await temporaryFolder();
  const holder = spawn(process.execPath, [join(import.meta.dirname, '..', 'rig', 'lease-holder.ts'), root, KEY], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  let waited = false;
  await withLease(root, KEY, async () => undefined, {
    waiting: () => {
      waited = true;
      holder.kill('SIGKILL');
    },
  });
  expect(waited).toBe(true);
});
