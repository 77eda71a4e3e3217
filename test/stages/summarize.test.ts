import {expect, test} from 'vitest';
import {studentT} from '../../stages/lib/student-t.ts';
import summarize from '../../stages/summarize.ts';
import {recordingServices} from '../training/services.ts';

test.each([
  // The table of the t distribution (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2).
  [0.95, 1, 12.706],
  [0.95, 2, 4.303],
  [0.95, 3, 3.182],
  [0.95, 4, 2.776],
  [0.95, 9, 2.262],
  [0.95, 30, 2.042],
  [0.95, 100, 1.984],
  [0.8, 7, 1.415],
  [0.99, 10, 3.169],
])('Student’s t for a confidence of %d and %d degrees of freedom is %d', (confidence, degrees, t) => {
  expect(studentT(confidence, degrees)).toBeCloseTo(t, 3);
});

const run = (tables: readonly object[], columns: readonly string[]) =>
  summarize.run({params: {columns}, inputs: {tables}, services: recordingServices().services});

test('each split and column has mean, standard deviation and interval', async () => {
  const tables = [1, 2, 3, 6].flatMap((error, replicate) => [
    {replicate, split: 'test', error, loss: 1},
    {replicate, split: 'train', error: 2 * error, loss: 1},
  ]);
  const {summary} = await run(tables, ['error', 'loss']);
  // mean 3, s² = (4 + 1 + 0 + 9) / 3
  const sd = Math.sqrt(14 / 3);
  const half = (3.18244630528 * sd) / 2;
  expect(summary).toEqual([
    {
      split: 'test',
      column: 'error',
      n: 4,
      mean: 3,
      sd,
      low: expect.closeTo(3 - half, 9),
      high: expect.closeTo(3 + half, 9),
    },
    {split: 'test', column: 'loss', n: 4, mean: 1, sd: 0, low: 1, high: 1},
    expect.objectContaining({split: 'train', column: 'error', mean: 6, sd: 2 * sd}),
    expect.objectContaining({split: 'train', column: 'loss'}),
  ]);
});

test('one replicate and a column that is not there are refused', async () => {
  await expect(run([{replicate: 0, error: 1}], ['error'])).rejects.toThrow('One replicate has no spread.');
  await expect(
    run(
      [
        {replicate: 0, error: 1},
        {replicate: 1, error: 1},
      ],
      ['eror'],
    ),
  ).rejects.toThrow('There are no numbers "eror".');
});
