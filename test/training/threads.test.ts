import {execFileSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {nativeOperations} from '../fused/against-definition.ts';

const WORKER = fileURLToPath(new URL('../rig/training-worker.ts', import.meta.url));

test.runIf(await nativeOperations())('captured training ends with the same bytes with one and with two threads', () => {
  const [one, two] = [1, 2].map((threads) =>
    execFileSync(process.execPath, [WORKER, String(threads)], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']})
      .trim()
      .split('\n'),
  );
  expect(new Set(one).size).toBe(4);
  expect(two).toEqual(one);
});
