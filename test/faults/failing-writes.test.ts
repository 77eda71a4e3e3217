import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, test, vi} from 'vitest';
import {makePlan} from '../../src/plan/make-plan.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import {openStore} from '../../src/store/open-store.ts';
import {StoreError} from '../../src/store/store-error.ts';
import {verifyStore} from '../../src/store/verify-store.ts';
import {ANY_MACHINE} from '../rig/any-machine.ts';
import {countingStages} from '../rig/counting-stages.ts';
import {inProcessPool} from '../rig/in-process-pool.ts';
import {graphOf} from '../rig/read-text.ts';

// Every call that writes, one after the other, is answered by the system as on a full disk and as without rights: that is told as such or
// makes no difference, and the next run gives what an undisturbed one does, from a store that is whole.

const disk = vi.hoisted(() => {
  const state = {calls: 0, failing: 0, code: ''};
  return {
    state,
    /** Counts a call that writes; throws when it is the one that fails. */
    write() {
      state.calls += 1;
      if (state.calls !== state.failing) return;
      throw Object.assign(new Error(`${state.code}: as the test wants it`), {code: state.code, syscall: 'write'});
    },
  };
});

const WRITES = vi.hoisted(() => 3); // O_WRONLY and O_RDWR

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const writing =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      disk.write();
      return call(...args);
    };
  return {
    ...real,
    mkdirSync: writing(real.mkdirSync),
    writeFileSync: writing(real.writeFileSync),
    renameSync: writing(real.renameSync),
    linkSync: writing(real.linkSync),
    writeSync: writing(real.writeSync),
    appendFileSync: writing(real.appendFileSync),
    ftruncateSync: writing(real.ftruncateSync),
    unlinkSync: writing(real.unlinkSync),
    rmSync: writing(real.rmSync),
    rmdirSync: writing(real.rmdirSync),
    openSync: (...args: Parameters<typeof real.openSync>) => {
      if (args[1] !== 'r' && (typeof args[1] !== 'number' || args[1] & WRITES)) disk.write();
      return real.openSync(...args);
    },
  };
});

/** SQLITE_FULL and SQLITE_READONLY, as `node:sqlite` tells of them. */
const SQLITE_CODES = vi.hoisted(() => ({ENOSPC: 13, EACCES: 8}));

vi.mock('node:sqlite', async (original) => {
  const real = await original<typeof import('node:sqlite')>();
  const writing = <R>(call: () => R): R => {
    try {
      disk.write();
    } catch {
      const errcode = disk.state.code === 'ENOSPC' ? SQLITE_CODES.ENOSPC : SQLITE_CODES.EACCES;
      throw Object.assign(new Error('as the test wants it'), {code: 'ERR_SQLITE_ERROR', errcode});
    }
    return call();
  };
  class DatabaseSync extends real.DatabaseSync {
    constructor(...args: ConstructorParameters<typeof real.DatabaseSync>) {
      writing(() => undefined);
      super(...args);
    }
    override exec(sql: string): void {
      return writing(() => super.exec(sql));
    }
    override prepare(sql: string) {
      const statement = super.prepare(sql);
      const run = statement.run.bind(statement);
      return Object.assign(statement, {
        run: (...values: Parameters<typeof run>) => writing(() => run(...values)),
      });
    }
  }
  return {...real, DatabaseSync};
});

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const writing =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      disk.write();
      return call(...args);
    };
  return {
    ...real,
    mkdir: writing(real.mkdir),
    writeFile: writing(real.writeFile),
    rename: writing(real.rename),
    rm: writing(real.rm),
    open: async (...args: Parameters<typeof real.open>) => {
      if (args[1] === 'r') return real.open(...args);
      disk.write();
      const file = await real.open(...args);
      const write = file.write.bind(file);
      return Object.assign(file, {write: writing(write)});
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), 'basin-writes-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const graph = graphOf(`stages:
  seven: {uses: number, with: {value: 7}}
  rest: {uses: mod, in: {a: seven.summary}, with: {by: 5}}
  points: {uses: scale, in: {a: rest.summary}, sweep: {alpha: [0, 1]}}
`);

/** Digests of all that is stored after a run, and what was told of what failed. */
async function run(cache: string) {
  const told: string[] = [];
  const store = await openStore(cache);
  try {
    const log = store.openRunLog('run');
    const {records, totals} = await runPlan({
      ...{graph, plan: await makePlan(graph, {store, numerics: 'none'}), store, numerics: 'none'},
      ...{pool: inProcessPool(countingStages), jobs: 2, machine: ANY_MACHINE, onFailure: 'keep-going' as const},
      wanted: new Set(graph.instances.keys()),
      stop: new AbortController().signal,
      emit: (event) => {
        if (event.event === 'instance-finished' && event.failure) told.push(event.failure.message);
        log.append(event);
      },
    });
    log.close();
    const digests = records.map((record) => Object.values(record?.outputs ?? {}).map(({digest}) => digest));
    return {told, totals, digests};
  } finally {
    await store.close();
  }
}

/** With the call of that number failing; how many calls there were. */
async function disturbed(
  cache: string,
  failing: number,
  code: string,
): Promise<{told: readonly string[]; calls: number}> {
  Object.assign(disk.state, {calls: 0, failing, code});
  try {
    const {told, totals} = await run(cache);
    const {ran, cached, cutOff, failed, skipped} = totals;
    expect(ran + cached + cutOff + failed + skipped).toBe(graph.instances.length);
    expect(failed > 0).toBe(told.length > 0);
    return {told, calls: disk.state.calls};
  } catch (error) {
    if (!(error instanceof StoreError)) throw new Error(`call ${failing}, ${code}`, {cause: error});
    return {told: [error.message], calls: disk.state.calls};
  } finally {
    Object.assign(disk.state, {failing: 0});
  }
}

test.for([
  ['ENOSPC', 'the disk is full'],
  ['EACCES', 'no permission'],
] as const)('%s at any call that writes is told, and leaves a store that is whole', async ([code, words]) => {
  const undisturbed = join(folder, `undisturbed-${code}`);
  const {calls} = await disturbed(undisturbed, 0, code);
  const expected = (await run(undisturbed)).digests;
  expect(calls).toBeGreaterThan(20);
  let failures = 0;
  for (let failing = 1; failing <= calls; failing++) {
    const cache = join(folder, `${code}-${failing}`);
    const {told} = await disturbed(cache, failing, code);
    for (const message of told) expect(message, `call ${failing}`).toContain(`the cache at ${cache}: ${words}`);
    failures += told.length > 0 ? 1 : 0;
    expect((await run(cache)).digests, `call ${failing}`).toEqual(expected);
    const store = await openStore(cache);
    const found = await verifyStore(store);
    await store.close();
    expect(found, `call ${failing}`).toMatchObject({
      damagedPayloads: [],
      damagedRecords: [],
      differsInIndex: [],
      gone: 0,
    });
    rmSync(cache, {recursive: true, force: true});
  }
  expect(failures).toBeGreaterThan(calls / 3);
});
