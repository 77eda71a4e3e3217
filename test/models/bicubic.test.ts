import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {bicubic} from '../../stages/lib/models/bicubic.ts';
import {lcg} from '../rig/lcg.ts';

const rows = z.array(z.array(z.number()));
const golden = z
  .object({bicubic: z.record(z.string(), rows)})
  .parse(JSON.parse(readFileSync(new URL('../golden/golden.json', import.meta.url), 'utf8'))).bicubic;

const CASES: readonly (readonly [name: string, grid: readonly number[], from: number, to: number])[] = [
  ['2x2 [[0,1],[2,3]] -> 3x3', [0, 1, 2, 3], 2, 3],
  ['4x4 LCG seed5 scale2 -> 6x6', lcg(5, [16]), 4, 6],
];

test.each(CASES)("%s is torch's, in one channel and beside others", (name, grid, from, to) => {
  const expected = golden[name]?.flat() ?? [];
  expect(expected).toHaveLength(to * to);
  const alone = bicubic(grid, 1, from, to);
  const beside = bicubic(
    grid.flatMap((value) => [7, value, -value]),
    3,
    from,
    to,
  );
  expected.forEach((value, place) => {
    expect(Math.abs((alone[place] ?? Number.NaN) - value)).toBeLessThan(1e-12);
    expect(beside[3 * place]).toBeCloseTo(7, 12);
    expect(beside[3 * place + 1]).toBe(alone[place]);
    expect(beside[3 * place + 2]).toBe(-(alone[place] ?? Number.NaN));
  });
});

test('every vector of bicubic resampling is asserted', () => {
  expect(Object.keys(golden)).toEqual(CASES.map(([name]) => name));
});
