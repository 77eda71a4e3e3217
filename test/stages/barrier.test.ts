import fc from 'fast-check';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Row} from '../../src/artifact/kinds.ts';
import barrier from '../../stages/barrier.ts';
import {barrierRows} from '../../stages/lib/barrier.ts';
import {golden} from '../training/golden.ts';
import {recordingServices} from '../training/services.ts';

const {lmc} = golden;
const line = (split: string): Row[] =>
  lmc.alphas.map((alpha, index) => ({
    alpha,
    split,
    loss: lmc.loss[index] ?? 0,
    error: lmc.error_pct[index] ?? 0,
    accuracy: 100 - (lmc.error_pct[index] ?? 0),
    n: 16,
  }));

test('both definitions give the golden line’s barriers', () => {
  const [row] = barrierRows(line('test'));
  expect(row).toMatchObject({
    split: 'test',
    error_instability: lmc.frankle_error_instability,
    points: 11,
    midpoint: true,
    alpha_at_max_loss: 0.2,
  });
  expect(row?.loss_barrier).toBeCloseTo(lmc.frankle_loss_barrier, 14);
  expect(row?.loss_barrier_linear).toBeCloseTo(lmc.convex_loss_barrier, 14);
});

test('each split has its row, and the axis may have another name', () => {
  const rows = [...line('train'), ...line('test')].map(({alpha, ...rest}) => ({lambda: alpha ?? 0, ...rest}));
  expect(barrierRows(rows).map(({split}) => split)).toEqual(['train', 'test']);
});

test('a straight line has no linear barrier, though unequal ends have an instability', () => {
  const rows = [0, 0.25, 0.75, 1].map((alpha) => ({
    alpha,
    split: 'test',
    loss: 1 + alpha,
    error: 10 * alpha,
    accuracy: 0,
    n: 1,
  }));
  expect(barrierRows(rows)[0]).toMatchObject({
    error_instability: 5,
    error_barrier_linear: 0,
    loss_barrier_linear: 0,
    midpoint: false,
    alpha_at_max_error: 1,
  });
});

/** Loss and error at the ends and at some places between them. */
const anyLine = fc
  .record({
    ends: fc.tuple(fc.double({min: 0, max: 9, noNaN: true}), fc.double({min: 0, max: 9, noNaN: true})),
    inner: fc.uniqueArray(
      fc.record({alpha: fc.integer({min: 1, max: 15}), loss: fc.double({min: 0, max: 9, noNaN: true})}),
      {
        selector: ({alpha}) => alpha,
        maxLength: 8,
      },
    ),
  })
  .map(({ends, inner}) => [
    {alpha: 0, loss: ends[0]},
    ...inner.map(({alpha, loss}) => ({alpha: alpha / 16, loss})),
    {alpha: 1, loss: ends[1]},
  ]);
const barrierOf = (points: readonly {alpha: number; loss: number}[]) => {
  const [row] = barrierRows(
    points.map(({alpha, loss}) => ({alpha, split: 'test', loss, error: 10 * loss, accuracy: 100 - 10 * loss, n: 10})),
  );
  if (!row) throw new Error('there is no row');
  return row;
};
const column = z.looseObject({
  loss_barrier: z.number(),
  loss_barrier_linear: z.number(),
  error_instability: z.number(),
  error_barrier_linear: z.number(),
});

test('no barrier is below 0, and the one above the mean of the ends is at least half their difference', () => {
  fc.assert(
    fc.property(anyLine, (points) => {
      const found = column.parse(barrierOf(points));
      expect(found.loss_barrier_linear).toBeGreaterThanOrEqual(0);
      expect(found.error_barrier_linear).toBeGreaterThanOrEqual(0);
      const half = Math.abs((points[0]?.loss ?? 0) - (points.at(-1)?.loss ?? 0)) / 2;
      expect(found.loss_barrier).toBeGreaterThanOrEqual(half - 1e-12);
      expect(found.error_instability).toBeGreaterThanOrEqual(10 * half - 1e-10);
    }),
  );
});

test('what is added to all points alike, or along the line, leaves the linear barrier, and so does turning round', () => {
  fc.assert(
    fc.property(anyLine, fc.double({min: 0, max: 3, noNaN: true}), (points, rise) => {
      const barrier = column.parse(barrierOf(points)).loss_barrier_linear;
      const tilted = points.map(({alpha, loss}) => ({alpha, loss: loss + 1 + rise * alpha}));
      const turned = points.map(({alpha, loss}) => ({alpha: 1 - alpha, loss}));
      expect(column.parse(barrierOf(tilted)).loss_barrier_linear).toBeCloseTo(barrier, 9);
      expect(column.parse(barrierOf(turned)).loss_barrier_linear).toBeCloseTo(barrier, 9);
    }),
  );
});

test('a line without an end is refused with what to do', () => {
  const rows = line('test').slice(1);
  expect(() => barrierRows(rows)).toThrow(
    'A barrier is measured from both ends of the line, and the points have no alpha = 0.',
  );
  expect(() => barrierRows([])).toThrow('There are no points.');
  expect(() => barrierRows(line('test').map((row) => ({...row, run: 1})))).toThrow('gathered over alpha, run');
});

test('a line without its middle is told in the log, and one with it is not', async () => {
  for (const [points, told] of [
    [line('test'), 0],
    [line('test').filter(({alpha}) => alpha !== 0.5), 1],
  ] as const) {
    const {services, lines} = recordingServices();
    await barrier.run({params: {}, inputs: {points}, services});
    expect(lines).toHaveLength(told);
    for (const text of lines) expect(text).toContain('0.5 is not among the points');
  }
});
