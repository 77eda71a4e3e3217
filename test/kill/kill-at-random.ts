import {type ChildProcess, spawn} from 'node:child_process';
import {readdirSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect} from 'vitest';
import {digestOfFile} from '../../src/base/digested-files.ts';
import {openStore} from '../../src/store/open-store.ts';
import {verifyStore} from '../../src/store/verify-store.ts';
import {draw} from '../../stages/lib/random/philox.ts';

const BASIN = fileURLToPath(new URL('../../bin/basin', import.meta.url));

export interface Killing {
  /** Caches are made in it. */
  readonly folder: string;
  readonly pipeline: string;
  readonly backend: string;
  readonly kills: number;
  /** From the start, or the kill before, to the next kill: shares of the time that an undisturbed run takes on this machine. */
  readonly life: {readonly shortest: number; readonly longest: number};
  /** Of how many kills one is of the driver; it is also hit when there is no worker. */
  readonly driverOneIn: number;
}

export interface Killed {
  readonly driver: number;
  readonly worker: number;
  readonly rounds: number;
  /** How often a checkpoint was left. */
  readonly resumed: number;
}

/** Moments of the kills are drawn with this seed; what a moment hits is up to the machine. */
const SEED = 7;

const start = ({pipeline, backend}: Pick<Killing, 'pipeline' | 'backend'>, cache: string): ChildProcess =>
  spawn(BASIN, ['run', pipeline, '--json', '--keep-going', '--backend', backend, '--cache', cache], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });

const ended = (child: ChildProcess): Promise<{code: number | null; signal: string | null}> =>
  new Promise((resolve) => child.on('close', (code, signal) => resolve({code, signal})));

const pause = (ms: number): Promise<'still running'> =>
  new Promise((resolve) => setTimeout(resolve, ms, 'still running'));

/** Processes that a process started, from /proc. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself a moment ago
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, {recursive: true, encoding: 'utf8'});
  } catch {
    return []; // killed before it was made
  }
}

const hasCheckpoint = (cache: string): boolean =>
  namesIn(join(cache, 'scratch')).some((name) => name.endsWith('.checkpoint'));

/** When a run has left a checkpoint, or never; it looks until the run has ended. */
async function checkpointIn(cache: string, end: Promise<unknown>): Promise<'still running'> {
  let isOver = false;
  const over = end.then(() => {
    isOver = true;
  });
  while (!isOver) {
    if (hasCheckpoint(cache)) return 'still running';
    await Promise.race([over, pause(5)]);
  }
  return new Promise(() => {});
}

/** Every payload of a store, each checked against its name. */
async function payloads(cache: string): Promise<string[]> {
  const files = readdirSync(join(cache, 'blobs'), {recursive: true, withFileTypes: true}).filter((file) =>
    file.isFile(),
  );
  for (const {parentPath, name} of files) {
    expect(`${await digestOfFile(join(parentPath, name))}.arrow`).toBe(name);
  }
  return files.map(({name}) => name).sort();
}

/** As a kill left it: what has a name is whole. */
async function expectIntact(cache: string): Promise<void> {
  const store = await openStore(cache, {readOnly: true});
  try {
    expect(await verifyStore(store)).toMatchObject({damagedPayloads: [], damagedRecords: []});
  } finally {
    await store.close();
  }
}

/** Kills driver and workers of run after run at random moments, until each round has ended with the bytes of an undisturbed run. */
export async function killAtRandom({folder, kills, life, driverOneIn, ...what}: Killing): Promise<Killed> {
  const undisturbed = join(folder, 'undisturbed');
  let whole = Number.POSITIVE_INFINITY;
  // Twice, since the first fills caches, and what runs beside it may have slowed it down.
  for (const cache of [undisturbed, join(folder, 'again')]) {
    const startedAt = performance.now();
    expect(await ended(start(what, cache))).toEqual({code: 0, signal: null});
    whole = Math.min(whole, performance.now() - startedAt);
  }
  const expected = await payloads(undisturbed);
  let [driver, worker, rounds, resumed] = [0, 0, 0, 0];
  /** Until the run has ended or its driver was killed; true when it has ended well. */
  const disturb = async (cache: string, isFresh: boolean): Promise<boolean> => {
    const startedAt = performance.now();
    const before = driver + worker;
    const child = start(what, cache);
    const end = ended(child);
    for (;;) {
      const number = driver + worker;
      // By the round too: a moment that comes after the end of a run would do so again and again.
      const share =
        life.shortest + ((draw(SEED, 'subset', rounds, number, 0) % 1000) / 1000) * (life.longest - life.shortest);
      // The first kills wait for a checkpoint: on a slow machine every moment drawn may be before the first or after the last.
      const awaitsCheckpoint = rounds === 1 && resumed === 0;
      const moment = (): Promise<'still running'> =>
        awaitsCheckpoint ? checkpointIn(cache, end) : pause(share * whole);
      const outcome = number < kills ? await Promise.race([end, moment()]) : await end;
      // A worker's death is a failure of its instance, so such a run ends with 1 and the next goes on from it.
      if (outcome !== 'still running') {
        // Of a whole run that nothing hit; the first ones may have been slowed down.
        if (isFresh && number === before && outcome.code === 0) whole = Math.min(whole, performance.now() - startedAt);
        return outcome.code === 0;
      }
      const pid = child.pid ?? 0;
      const workers = childrenOf(pid);
      const isDriver = awaitsCheckpoint || draw(SEED, 'subset', 0, number, 1) % driverOneIn === 0;
      const victim = isDriver ? undefined : workers[number % workers.length];
      kill(victim ?? pid);
      if (victim !== undefined) {
        worker += 1;
        continue;
      }
      driver += 1;
      await end;
      return false;
    }
  };
  while (driver + worker < kills) {
    const cache = join(folder, `killed-${rounds++}`);
    for (let isFresh = true; !(await disturb(cache, isFresh)); isFresh = false) {
      await expectIntact(cache);
      if (hasCheckpoint(cache)) resumed += 1;
    }
    expect(await payloads(cache)).toEqual(expected);
    for (const left of ['scratch', 'tmp']) expect(namesIn(join(cache, left))).toEqual([]);
    rmSync(cache, {recursive: true});
  }
  return {driver, worker, rounds, resumed};
}
