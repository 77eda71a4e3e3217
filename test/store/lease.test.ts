import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {tryLeases} from '../../src/store/lease.ts';
import {keyOf, temporaryFolder} from '../rig/temporary-store.ts';

const KEY = keyOf({number: 1});
const OTHER = keyOf({number: 2});

test('who wants a key that is being worked on is told so at once, and gets it once that has ended', async () => {
  const root = await temporaryFolder();
  await tryLeases(root, [KEY], async () => {
    expect(await tryLeases(root, [KEY], async () => 'taken')).toBe('busy');
    expect(await tryLeases(root, [OTHER, KEY], async () => 'taken')).toBe('busy');
    expect(await tryLeases(root, [OTHER], async () => 'taken')).toBe('taken'); // what was busy has kept nothing
  });
  expect(await tryLeases(root, [KEY], async () => 'taken')).toBe('taken');
});

test('work that fails gives its lease back', async () => {
  const root = await temporaryFolder();
  await expect(tryLeases(root, [KEY], () => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
  expect(await tryLeases(root, [KEY], async () => 'taken')).toBe('taken');
});

test('a place without a store says so', async () => {
  const root = await temporaryFolder();
  await mkdir(`${root}/leases`);
  await expect(tryLeases(root, [KEY], async () => undefined)).rejects.toMatchObject({hint: expect.any(String)});
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
  for (const key of [keys[0], keys[749], keys[1499]])
    expect(await tryLeases(root, key ? [key] : [], async () => 'taken')).toBe('busy');
  expect(await tryLeases(root, [keyOf({number: -1})], async () => 'taken')).toBe('taken');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(await tryLeases(root, keys, async () => 'taken')).toBe('taken');
});

test('one key twice is no ring, and of two who want the same keys in other orders one gets them', async () => {
  const root = await temporaryFolder();
  expect(await tryLeases(root, [KEY, KEY], async () => 'taken')).toBe('taken');
  const ends = await Promise.all(
    [
      [KEY, OTHER],
      [OTHER, KEY],
    ].map((keys) => tryLeases(root, keys, async () => 'taken')),
  );
  expect(ends).toContain('taken');
});

test('the lease of a killed process is free', async () => {
  const root = await temporaryFolder();
  const holder = await holderOf(root, [KEY]);
  expect(await tryLeases(root, [KEY], async () => 'taken')).toBe('busy');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(await tryLeases(root, [KEY], async () => 'taken')).toBe('taken');
});
