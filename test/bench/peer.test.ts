import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import {type Case, casesNamed} from '../../bench/cases.ts';
import {writeMaterial} from '../../bench/material.ts';
import {resultOf} from '../../bench/result.ts';
import type {Measured} from '../../bench/rounds.ts';
import {lossDifference} from '../../bench/same-work.ts';
import {basinSide, type Side} from '../../bench/side.ts';
import {type TorchForm, torchInstalled, torchSide} from '../../bench/torch.ts';

const folder = mkdtempSync(join(tmpdir(), 'basin-bench-test-'));
afterAll(() => rmSync(folder, {recursive: true}));

function caseNamed(id: string): Case {
  const [one] = casesNamed([id]) ?? [];
  if (!one) throw new Error(`no case ${id}`);
  return one;
}

async function lossesOf(side: Side, count: number): Promise<readonly number[]> {
  try {
    return (await side.run(count)).values;
  } finally {
    side.end();
  }
}

// The peer is PyTorch as bench/install-torch.ts installs it; without it there is nothing to agree with.
describe.skipIf(!torchInstalled())(
  "PyTorch's side of bench/train does the work of ours (needs bench/install-torch.ts)",
  () => {
    test.for<[id: string, count: number, form: TorchForm]>([
      ['D64-L4.b16.train.fp32', 4, 'eager'],
      ['D64-L4.b16.train.fp32', 4, 'trimmed'],
      ['D64-L4.b32.sweep.fp32', 3, 'eager'],
    ])('%s, %i units, %s', async ([id, count, form]) => {
      const one = caseNamed(id);
      const at = join(folder, `${id}.${form}`);
      await writeMaterial(at, one);
      const [ours, theirs] = await Promise.all([
        lossesOf(basinSide({case: id, backend: 'wasm', threads: 1}), count),
        lossesOf(torchSide(at, one, {form, threads: 1, tuned: false}), count),
      ]);
      expect(new Set(ours).size).toBe(count); // every step moves the weights, every point has other ones
      expect(lossDifference(ours, theirs)).toBeLessThan(1e-5);
    });
  },
);

test('a ratio is taken round by round, and above 1 when basin is faster', () => {
  const side = (name: string, rounds: readonly number[]): Measured => ({
    ...{name, one: caseNamed('D64-L4.b32.train.fp32'), rounds, values: [2, 1]},
    ...{first: 1, startMemory: 1, memory: 1, gflops: 100},
  });
  const result = resultOf(side('basin', [10, 20, 10]), side('peer', [20, 30, 5]));
  expect(result).toMatchObject({basin_ms: 10, peer_ms: 20, ratio: 1.5, spread: [0.5, 2], ratio_of_minima: 0.5});
});
