import {constants, existsSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {RunEvent} from '../../src/run/event.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import {collectGarbage} from '../../src/store/collect-garbage.ts';
import {ANY_MACHINE} from '../rig/any-machine.ts';
import {countingStages} from '../rig/counting-stages.ts';
import {inProcessPool} from '../rig/in-process-pool.ts';
import {PipelineRig} from '../rig/pipeline-rig.ts';

// A payload that is another user's cannot be linked (`fs.protected_hardlinks`), nor one on a file system without links; and many cannot share bytes.

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return {
    ...real,
    linkSync: (from: string, to: string) => {
      if (!from.includes('/blobs/')) return real.linkSync(from, to);
      throw Object.assign(new Error('EPERM: as the test wants it'), {code: 'EPERM', syscall: 'link'});
    },
  };
});

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    copyFile: async (from: string, to: string, mode: number) => {
      if (mode !== constants.COPYFILE_FICLONE_FORCE) return real.copyFile(from, to, mode);
      throw Object.assign(new Error('ENOTSUP: as the test wants it'), {code: 'ENOTSUP', syscall: 'copyfile'});
    },
  };
});

let rig: PipelineRig;
beforeEach(async () => {
  rig = await PipelineRig.create();
});
afterEach(() => rig[Symbol.asyncDispose]());

/** Runs a maker of a payload and a program that reads it, with gc while that waits; tells what ran, and the number of bytes that were read. */
async function collectedMeanwhile(
  bytes: number,
  read: string,
): Promise<{ran: string[]; warnings: string[]; out: string}> {
  const [began, goes] = [join(rig.folder, 'began'), join(rig.folder, 'goes')];
  const wait = `touch "${began}"; while [ ! -e "${goes}" ]; do sleep 0.02; done`;
  const graph = rig.graph(`
stages:
  make: {run: [sh, -c, 'head -c ${bytes} /dev/zero >"$0"', "\${out.o}"], out: {o: file}}
  read: {run: [sh, -c, '${wait}; ${read}', "\${in.i}", "\${out.o}"], in: {i: make.o}, out: {o: file}}`);
  return rig.withStore(async (store) => {
    const events: RunEvent[] = [];
    const running = runPlan({
      ...{graph, store, numerics: 'none', jobs: 2, machine: ANY_MACHINE, onFailure: 'keep-going'},
      plan: await makePlan(graph, {store, numerics: 'none'}),
      pool: inProcessPool(countingStages),
      wanted: new Set(graph.instances.map(({index}) => index)),
      stop: new AbortController().signal,
      emit: (event) => events.push(event),
    });
    while (!existsSync(began)) await sleep(10);
    expect(await collectGarbage(store, {budget: 0, dryRun: false})).toMatchObject({bytesBefore: bytes, bytesAfter: 0});
    await writeFile(goes, '');
    const digest = (await running).records[1]?.outputs.o?.digest;
    return {
      ran: events.flatMap((event) => (event.event === 'instance-finished' ? [`${event.id} ${event.outcome}`] : [])),
      warnings: events.flatMap((event) => (event.event === 'warning' ? [event.message] : [])),
      out: digest === undefined ? '' : await readFile(store.blobPath(digest), 'utf8'),
    };
  });
}

const LARGE = 20_000_000;

test.each([
  ['fails without it', 'wc -c <"$0" >"$1"'],
  ['takes it for empty', 'cat "$0" 2>/dev/null | wc -c >"$1"'],
])(
  'a large payload that gc removes under a program that %s is made again, and the program runs again',
  async (_, read) => {
    expect(await collectedMeanwhile(LARGE, read)).toEqual({
      ran: ['make ran', 'make ran', 'read ran'],
      warnings: ['A stored output of make is missing or damaged; it is computed again.'],
      out: `${LARGE}\n`,
    });
  },
);

test('of a small payload that gc removes a program has its copy', async () => {
  expect(await collectedMeanwhile(1000, 'cat "$0" 2>/dev/null | wc -c >"$1"')).toEqual({
    ran: ['make ran', 'read ran'],
    warnings: [],
    out: '1000\n',
  });
});
