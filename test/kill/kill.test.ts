import {type ChildProcess, spawn} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, expect, test} from 'vitest';
import {digestOfFile} from '../../src/base/digested-files.ts';
import {draw} from '../../stages/lib/random/philox.ts';

/** Moments of the kills are drawn with this seed; what a moment hits is up to the machine. */
const SEED = 7;
/** Every run of the tests takes a few, `npm run check:all` fifty, and BASIN_KILLS=500 as many as one wants to wait for. */
const KILLS = Number(process.env.BASIN_KILLS ?? (process.env.BASIN_ALL ? 50 : 12));
const SHORTEST_LIFE_MS = 300;
const LONGEST_LIFE_MS = 2500;

const BASIN = fileURLToPath(new URL('../../bin/basin', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'basin-kill-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const pipeline = join(folder, 'pipeline.yaml');
writeFileSync(
  pipeline,
  `
params:
  data: {name: mnist, limit: {train: 320, test: 100}}
stages:
  load: {uses: pretrain-load, with: {source: random, seed: 1, model: {model: mlp, hidden: [24], labels: 10}}}
  a: {uses: finetune, in: {weights: load.weights}, with: {data: "\${data}", seed: 1, length: 600it, lr: 0.01, batch: 16}}
  b: {uses: finetune, in: {weights: load.weights}, with: {data: "\${data}", seed: 2, length: 600it, lr: 0.01, batch: 16}}
  path: {uses: interpolate, in: {a: a.weights, b: b.weights}, with: {data: "\${data}"}, sweep: {alpha: [0, 0.5, 1]}}
  barrier: {uses: barrier, in: {points: path.points}}
  prune:
    uses: platon-prune
    in: {weights: a.weights}
    with: {data: "\${data}", seed: 3, length: 600it, lr: 0.01, batch: 16}
    sweep: {keep: [0.5, 0.2]}
`,
);

const start = (cache: string): ChildProcess =>
  spawn(BASIN, ['run', pipeline, '--json', '--backend', 'cpu', '--cache', cache], {
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

test.skipIf(process.platform !== 'linux')(
  `after ${KILLS} kills of driver and workers at any moment a pipeline ends with the bytes of an undisturbed run`,
  async () => {
    const undisturbed = join(folder, 'undisturbed');
    expect(await ended(start(undisturbed))).toEqual({code: 0, signal: null});
    const expected = await payloads(undisturbed);
    const hits = {driver: 0, worker: 0};
    let round = 0;
    let resumed = 0;
    while (hits.driver + hits.worker < KILLS) {
      const cache = join(folder, `killed-${round++}`);
      for (let done = false; !done; ) {
        const child = start(cache);
        const end = ended(child);
        const number = hits.driver + hits.worker;
        const life = SHORTEST_LIFE_MS + (draw(SEED, 'subset', 0, number, 0) % (LONGEST_LIFE_MS - SHORTEST_LIFE_MS));
        const outcome = number < KILLS ? await Promise.race([end, pause(life)]) : await end;
        if (outcome !== 'still running') {
          // A worker's death is a failure of its instance, so such a run ends with 1 and the next goes on from it.
          done = outcome.code === 0;
          continue;
        }
        const pid = child.pid ?? 0;
        const workers = childrenOf(pid);
        const victim =
          draw(SEED, 'subset', 0, number, 1) % 2 === 0 ? workers[number % Math.max(1, workers.length)] : undefined;
        if (victim !== undefined) hits.worker += 1;
        else hits.driver += 1;
        kill(victim ?? pid);
        await end;
        resumed += readdirSync(join(cache, 'scratch'), {recursive: true}).some((name) =>
          `${name}`.endsWith('.checkpoint'),
        )
          ? 1
          : 0;
      }
      expect(await payloads(cache)).toEqual(expected);
      expect(readdirSync(join(cache, 'scratch'))).toEqual([]);
    }
    console.info(
      `${hits.driver} drivers and ${hits.worker} workers were killed in ${round} rounds; ${resumed} left a checkpoint.`,
    );
    expect(hits.driver).toBeGreaterThan(0);
    expect(hits.worker).toBeGreaterThan(0);
    expect(resumed).toBeGreaterThan(0);
  },
  Math.max(600_000, KILLS * 10_000),
);
