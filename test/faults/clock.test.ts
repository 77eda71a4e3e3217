import {randomUUID} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {afterEach, expect, test, vi} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {lastFailures} from '../../src/results/last-failures.ts';
import {runLogName, runLogs} from '../../src/results/run-logs.ts';
import {collectGarbage} from '../../src/store/collect-garbage.ts';
import {draftOf, reopened, temporaryFolder, temporaryStore} from '../rig/temporary-store.ts';

// A machine's clock may be hours from that of the file server its cache is on, and may be set back between two runs.

const HOUR = 3_600_000;
const trueNow = Date.now;
const clockIs = (hours: number): void => {
  vi.spyOn(Date, 'now').mockImplementation(() => trueNow() + hours * HOUR);
};
afterEach(() => {
  vi.restoreAllMocks();
});

async function filledStore() {
  const store = await temporaryStore();
  await store.publish(await draftOf(store, {stage: 'a'}, {weights: 'a'}));
  return store;
}

test.each([5, -5])('a young file is young although the clock is %i hours off, and is read again', async (hours) => {
  const store = await filledStore();
  const file = join(await temporaryFolder(), 'data');
  await writeFile(file, 'one');
  clockIs(hours);
  expect(await store.digestOfFile(file)).toBe(digestOf('one'));
  await store.close();
  const database = new DatabaseSync(join(store.root, 'index.sqlite'));
  expect(database.prepare('select * from file').all()).toEqual([]);
  database.close();
});

test('gc leaves a payload whose record is on its way, although the clock is hours ahead', async () => {
  const store = await filledStore();
  const arriving = store.blobPath(digestOf('arriving'));
  await mkdir(join(arriving, '..'), {recursive: true});
  await writeFile(arriving, 'payload');
  clockIs(5);
  expect((await collectGarbage(store, {budget: 1e9, dryRun: true})).evictions).toEqual([]);
});

test.each([5, -5])(
  'what another driver just makes in tmp/ is not taken for a dead one’s, with a clock %i hours off',
  async (hours) => {
    const {root} = await filledStore();
    const paths = [randomUUID(), randomUUID()].map((id) => join(root, 'tmp', `1-${id}`));
    for (const path of paths) await writeFile(path, '');
    await utimes(paths[1] ?? '', trueNow() / 1000 - 2 * 3600, trueNow() / 1000 - 2 * 3600);
    clockIs(hours);
    await reopened(root);
    expect(paths.map((path) => existsSync(path))).toEqual([true, false]);
  },
);

const STUDY = {place: 'study.yaml', name: 'study'};

test('a run after the clock was set back is the last one, and what it says of an instance holds', async () => {
  const store = await filledStore();
  const runs: string[] = [];
  const run = async (hours: number, outcome: string): Promise<void> => {
    clockIs(hours);
    const log = store.openRunLog(await runLogName(store.root, 'study'));
    log.append({event: 'pipeline', ...STUDY});
    log.append({event: 'instance-finished', id: 'a', outcome, seconds: 0, failure: {message: `at ${hours}`}});
    log.close();
    runs.unshift(log.path);
  };
  await run(5, 'failed');
  expect(await lastFailures(store.root, STUDY, new Map([['a', undefined]]))).toEqual(new Map([['a', 'at 5']]));
  await run(0, 'ran');
  expect(await lastFailures(store.root, STUDY, new Map([['a', undefined]]))).toEqual(new Map());
  await run(-5, 'failed');
  expect(await lastFailures(store.root, STUDY, new Map([['a', undefined]]))).toEqual(new Map([['a', 'at -5']]));
  expect((await runLogs(store.root)).map(({path}) => path)).toEqual(runs);
});
