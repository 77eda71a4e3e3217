import {expect, test} from 'vitest';
import {formatRows} from '../../src/results/format-rows.ts';
import {fittingColumns, formatCell, textTable} from '../../src/results/text-table.ts';

const rows = [
  {split: 'test', error: 2.23456789, n: 2000},
  {split: 'train', error: 12, n: 60000},
];

test('a table aligns numbers to the right and text to the left', () => {
  expect(textTable(['split', 'error', 'n'], rows)).toBe(
    ['split   error      n', '─────  ──────  ─────', 'test   2.2346   2000', 'train      12  60000'].join('\n'),
  );
});

test('a table that does not fit the terminal becomes blocks, nothing cut off', () => {
  const text = textTable(['split', 'error', 'n'], rows, 12);
  expect(text).toBe(
    ['split  test', 'error  2.2346', 'n      2000', '', 'split  train', 'error  12', 'n      60000'].join('\n'),
  );
});

test('csv and json carry every digit, and csv quotes what needs it', () => {
  const odd = [{name: 'a,"b"', value: 0.1 + 0.2}];
  expect(formatRows(odd, 'csv')).toBe('name,value\n"a,""b""",0.30000000000000004');
  expect(JSON.parse(formatRows(odd, 'json'))).toEqual(odd);
});

test('very small and very large numbers are written with an exponent', () => {
  expect([formatCell(1.5e-7), formatCell(0.00123456), formatCell(2.5e12 + 0.5)]).toEqual([
    '1.500e-7',
    '0.0012346',
    '2.500e+12',
  ]);
});

test('as many columns are shown as fit the terminal, and a few always', () => {
  expect([80, 20, 19, 5].map((width) => fittingColumns(['split', 'error', 'n'], rows, width, 1))).toEqual([3, 3, 2, 1]);
});

test('columns are as wide as a terminal shows them, and a cell gives it nothing to obey', () => {
  const texts = [
    {name: '猫 🐈', n: 3},
    {name: 'chaton é', n: 20},
    {name: 'a\x1b[2J\nb', n: 1},
  ];
  expect(textTable(['name', 'n'], texts).split('\n')).toEqual([
    'name          n',
    '───────────  ──',
    '猫 🐈         3',
    'chaton é     20',
    'a\\x1b[2J\\nb   1',
  ]);
  expect(textTable(['name', 'n'], texts, 13)).toContain('name  猫 🐈\nn     3');
});
