import {execFile} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {keyOf, reopened, temporaryFolder} from '../rig/temporary-store.ts';

const PUBLISHER = join(import.meta.dirname, '..', 'rig', 'publisher.ts');
const COUNT = 40;

/** The digests that a driver was told hold for its keys, in order. */
async function drive(root: string, name: string, ...more: string[]): Promise<readonly string[]> {
  const args = [PUBLISHER, root, name, String(COUNT), ...more];
  const {stdout} = await promisify(execFile)(process.execPath, args).catch((error: unknown) => {
    if (more.includes('die') && error instanceof Error && 'stdout' in error) return {stdout: String(error.stdout)};
    throw error;
  });
  return stdout.trim().split('\n');
}

const KEYS = Array.from({length: COUNT}, (_, number) =>
  keyOf({format: 1, stage: 'counting', version: 1, params: {number}, inputs: {}}),
);

test('two drivers that publish other bytes under the same keys at once agree on one result a key', async () => {
  const root = join(await temporaryFolder(), 'cache');
  const [a, b] = await Promise.all([drive(root, 'a'), drive(root, 'b')]);
  expect(a).toHaveLength(COUNT);
  expect(a).toEqual(b);
  const store = await reopened(root);
  const records = store.records(KEYS);
  expect(KEYS.map((key) => records.get(key)?.outputs.out?.digest)).toEqual(a);
  for (const {outputs} of records.values())
    expect(outputs.out && (await store.readBlob(outputs.out.digest))).toBeInstanceOf(Uint8Array);
  expect(store.lastKeys({place: 'pipeline', name: 'pipeline'}, ['a-7', 'b-7'])).toEqual(
    new Map([
      ['a-7', KEYS[7]],
      ['b-7', KEYS[7]],
    ]),
  );
  expect(readdirSync(join(root, 'tmp'))).toEqual([]);
});

test('the drafts of a killed driver are cleaned by the next, those of a living one are not', async () => {
  const root = join(await temporaryFolder(), 'cache');
  await drive(root, 'a', 'die');
  expect(readdirSync(join(root, 'tmp'))).toHaveLength(1);
  const living = await reopened(root);
  await living.draftFolder();
  expect(readdirSync(join(root, 'tmp'))).toHaveLength(1);
  await reopened(root);
  expect(readdirSync(join(root, 'tmp'))).toHaveLength(1);
});

test('a driver sees at once what another published after it had opened', async () => {
  const root = join(await temporaryFolder(), 'cache');
  const early = await reopened(root);
  expect(early.records(KEYS).size).toBe(0);
  await drive(root, 'a');
  expect(early.records(KEYS).size).toBe(COUNT);
});
