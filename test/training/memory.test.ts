import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {readManifest} from '../../stages/tensor/manifest.ts';

const WORKER = fileURLToPath(new URL('../rig/memory-worker.ts', import.meta.url));
/** V8's and the allocator's own pools grow for some hundred steps; after that rows of metrics and nothing else may. A leaked batch would be 30 MiB here. */
const SETTLED = 700;
const ALLOWED_MIB = 8;

const backend = (await readManifest())?.backend ?? 'wasm';

test(`a thousand steps on ${backend} leave resident memory and tensors where they were after seven hundred`, () => {
  const {stdout, status, stderr} = spawnSync(process.execPath, [WORKER, backend], {encoding: 'utf8'});
  expect(status, stderr).toBe(0);
  const samples: {step: number; rss: number; tensors: number}[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(samples.map(({step}) => step)).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
  const [settled] = samples.filter(({step}) => step === SETTLED);
  const last = samples.at(-1);
  expect(new Set(samples.map(({tensors}) => tensors)).size).toBe(1);
  expect((last?.rss ?? 0) - (settled?.rss ?? 0)).toBeLessThan(ALLOWED_MIB);
});
