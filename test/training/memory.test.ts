import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {readManifest} from '../../stages/tensor/manifest.ts';

const WORKER = fileURLToPath(new URL('../rig/memory-worker.ts', import.meta.url));
/** Pools of V8 and of the allocator come and go by twenty MiB, over 5,000 steps no more than over 1,000; a leaked batch would be 70 MiB between these. */
const EARLY = 3;
const LATE = 3;
const ALLOWED_MIB = 32;

const backend = (await readManifest())?.backend ?? 'wasm';

test(`a thousand steps of PLATON with evaluations on ${backend} leave resident memory and tensors where the first hundreds had them`, () => {
  const {stdout, status, stderr} = spawnSync(process.execPath, [WORKER, backend], {encoding: 'utf8'});
  expect(status, stderr).toBe(0);
  const samples: {step: number; rss: number; tensors: number}[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(samples.map(({step}) => step)).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
  expect(new Set(samples.map(({tensors}) => tensors)).size).toBe(1);
  const early = Math.max(...samples.slice(0, EARLY).map(({rss}) => rss));
  const late = Math.min(...samples.slice(-LATE).map(({rss}) => rss));
  expect(late - early).toBeLessThan(ALLOWED_MIB);
});
