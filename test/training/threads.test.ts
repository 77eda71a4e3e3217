import {execFileSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {nativeOperations} from '../fused/against-definition.ts';

const WORKER = fileURLToPath(new URL('../rig/training-worker.ts', import.meta.url));
const WAYS = 9;

test.runIf(await nativeOperations())(
  'captured training ends with the same bytes whenever it runs, and with any number of threads',
  () => {
    const [one = [], ...others] = [1, 2, 2, 4].map((threads) =>
      execFileSync(process.execPath, [WORKER, String(threads)], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']})
        .trim()
        .split('\n'),
    );
    expect(new Set(one).size).toBe(WAYS);
    for (const lines of others) expect(lines).toEqual(one);
  },
  120_000,
);
