import {execFileSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {nativeOperations} from './against-definition.ts';

const WORKER = fileURLToPath(new URL('../rig/operations-worker.ts', import.meta.url));

test.runIf(await nativeOperations())('operations give the same bytes with one, two and four threads', () => {
  const digests = [1, 2, 4, 4].map((threads) =>
    execFileSync(process.execPath, [WORKER, String(threads)], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}),
  );
  expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(digests).size).toBe(1);
});
