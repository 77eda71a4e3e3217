import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {withLeases} from '../../src/store/lease.ts';
import {keyOf, temporaryFolder} from '../rig/temporary-store.ts';

const KEY = keyOf({number: 1});
const OTHER = keyOf({number: 2});

test('who wants a key that is being worked on is told, waits, and comes next', async () => {
  const root = await temporaryFolder();
  const order: string[] = [];
  const {promise: waiting, resolve: isWaiting} = Promise.withResolvers<void>();
  const first = withLeases(root, [KEY], async () => {
    order.push('first starts');
    await waiting;
    order.push('first ends');
  });
  const second = withLeases(root, [KEY], async () => order.push('second'), {waiting: isWaiting});
  await Promise.all([first, second]);
  expect(order).toEqual(['first starts', 'first ends', 'second']);
});

test('another key does not wait', async () => {
  const root = await temporaryFolder();
  await withLeases(root, [KEY], () =>
    withLeases(root, [OTHER], async () => undefined, {waiting: () => expect.fail('waited')}),
  );
});

test('waiting can be given up', async () => {
  const root = await temporaryFolder();
  const stop = new AbortController();
  await withLeases(root, [KEY], async () => {
    const second = withLeases(root, [KEY], async () => undefined, {signal: stop.signal, waiting: () => stop.abort()});
    await expect(second).rejects.toMatchObject({name: 'AbortError'});
  });
});

test('work that fails gives its lease back', async () => {
  const root = await temporaryFolder();
  await expect(withLeases(root, [KEY], () => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
  await withLeases(root, [KEY], async () => undefined, {waiting: () => expect.fail('waited')});
});

test('a place without a store says so', async () => {
  const root = await temporaryFolder();
  await mkdir(`${root}/leases`);
  await expect(withLeases(root, [KEY], async () => undefined)).rejects.toMatchObject({hint: expect.any(String)});
});

/** A process that holds the leases of some keys, with at most so many files open. */
async function holderOf(root: string, keys: readonly string[], files = 1024) {
  const script = join(import.meta.dirname, '..', 'rig', 'lease-holder.ts');
  const limited = `ulimit -n ${files}; exec "$0" "$@"`;
  const holder = spawn('sh', ['-c', limited, process.execPath, script, root, ...keys], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await Promise.race([
    once(holder.stdout, 'data'),
    once(holder, 'exit').then(() => Promise.reject(new Error('it ended'))),
  ]);
  return holder;
}

test('as many leases as a sweep has points take one open file', async () => {
  const root = await temporaryFolder();
  const keys = Array.from({length: 1500}, (_, number) => keyOf({number}));
  const holder = await holderOf(root, keys, 64);
  for (const key of [keys[0], keys[749], keys[1499]]) {
    const stop = new AbortController();
    const other = withLeases(root, key ? [key] : [], async () => 'taken', {
      signal: stop.signal,
      waiting: () => stop.abort(),
    });
    await expect(other).rejects.toMatchObject({name: 'AbortError'});
  }
  await withLeases(root, [keyOf({number: -1})], async () => undefined, {waiting: () => expect.fail('waited')});
  holder.kill('SIGKILL');
  await withLeases(root, keys, async () => undefined);
});

test('one key twice, and keys in another order, wait for nobody in a ring', async () => {
  const root = await temporaryFolder();
  await withLeases(root, [KEY, KEY], async () => undefined, {waiting: () => expect.fail('waited')});
  const done: string[] = [];
  const work = (name: string) => async () => void done.push(name);
  await Promise.all([withLeases(root, [KEY, OTHER], work('a')), withLeases(root, [OTHER, KEY], work('b'))]);
  expect(done.sort()).toEqual(['a', 'b']);
});

test('the lease of a killed process is free', async () => {
  const root = await temporaryFolder();
  const holder = await holderOf(root, [KEY]);
  let waited = false;
  await withLeases(root, [KEY], async () => undefined, {
    waiting: () => {
      waited = true;
      holder.kill('SIGKILL');
    },
  });
  expect(waited).toBe(true);
});
