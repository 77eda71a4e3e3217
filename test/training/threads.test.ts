import {execFileSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {nativeOperations} from '../fused/against-definition.ts';

const WORKER = fileURLToPath(new URL('../rig/training-worker.ts', import.meta.url));
const WAYS = 9;

test.runIf(await nativeOperations())(
  'captured training ends with the same bytes whenever it runs, and with any number of threads but for convolutions',
  () => {
    const [one = [], two = [], again] = [1, 2, 2].map((threads) =>
      execFileSync(process.execPath, [WORKER, String(threads)], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']})
        .trim()
        .split('\n'),
    );
    expect(new Set(one).size).toBe(WAYS);
    expect(again).toEqual(two);
    // oneDNN adds up a filter's gradient by threads (docs/keys-and-cache.md)
    const elsewhere = (lines: readonly string[]) => lines.filter((line) => !line.startsWith('resnet'));
    expect(elsewhere(two)).toEqual(elsewhere(one));
  },
  60_000,
);
