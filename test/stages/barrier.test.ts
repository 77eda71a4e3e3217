import {expect, test} from 'vitest';
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
