import {expect, test} from 'vitest';
import {gatherRows} from '../../src/artifact/gather.ts';
import {type InlineRows, inlineRows, rowsInline} from '../../src/artifact/inline-rows.ts';

test('members are sorted by axis value as a number, their rows keep their order, axes come first', () => {
  const member = (alpha: number) => ({
    axes: {alpha},
    rows: [
      {split: 'train', loss: alpha},
      {split: 'test', loss: alpha},
    ],
  });
  const rows = gatherRows([member(10), member(2), member(0.5)]);
  expect(rows.map(({alpha, split}) => `${alpha} ${split}`)).toEqual([
    '0.5 train',
    '0.5 test',
    '2 train',
    '2 test',
    '10 train',
    '10 test',
  ]);
  expect(Object.keys(rows[0] ?? {})).toEqual(['alpha', 'split', 'loss']);
});

test('an axis value that is no cell is shown as its canonical JSON, after the numbers', () => {
  const rows = gatherRows([
    {axes: {part: {b: 1, a: [2]}}, rows: [{n: 1}]},
    {axes: {part: null}, rows: [{n: 2}]},
    {axes: {part: 3}, rows: [{n: 3}]},
  ]);
  expect(rows).toEqual([
    {part: 3, n: 3},
    {part: 'null', n: 2},
    {part: '{"a":[2],"b":1}', n: 1},
  ]);
});

test('an axis named like a column is refused', () => {
  expect(() => gatherRows([{axes: {n: 1}, rows: [{n: 1}]}])).toThrow('The axis "n" cannot be gathered');
});

test('few rows live in records, those too of which JSON would make others', () => {
  const row = {loss: 0.5, split: 'test'};
  expect(inlineRows([row])).toEqual([row]);
  const odd = [row, ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0].map((loss) => ({...row, loss}))];
  const inline: InlineRows = JSON.parse(JSON.stringify(inlineRows(odd)));
  expect(rowsInline(inline)).toStrictEqual(odd);
  expect(rowsInline([row])).toStrictEqual([row]);
  expect(inlineRows(Array.from({length: 65}, () => row))).toBeUndefined();
  expect(inlineRows([{text: 'x'.repeat(5000)}])).toBeUndefined();
});
