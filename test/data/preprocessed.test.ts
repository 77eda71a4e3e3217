import {expect, test} from 'vitest';
import type {Pictures} from '../../stages/lib/data/pictures.ts';
import {batchBuffer, fillBatch} from '../../stages/lib/pictures/batch.ts';
import {preprocessed} from '../../stages/lib/pictures/preprocessed.ts';
import {bindPreprocessor} from '../../stages/lib/pictures/preprocessor.ts';

const make = (n: number, level: number, side = 8): Pictures => ({
  n,
  channels: 1,
  height: side,
  width: side,
  values: new Uint8Array(n * side * side).fill(level),
  labels: Int32Array.from({length: n}, (_, sample) => sample % 10),
});
const bind = (size: number, config = {}) =>
  bindPreprocessor(config, {channels: 1, imageSize: size}, {channels: 1, height: 8, width: 8});

/** The first value of picture 1, as an evaluation sees it now. */
function seen(pictures: Pictures, preprocessing: ReturnType<typeof bind>): number {
  const buffer = batchBuffer(preprocessing, 1);
  preprocessed(pictures, preprocessing).fill(buffer, 1, 1);
  return buffer.pixels[0] ?? Number.NaN;
}

test('what is kept are the bytes that a batch made alone has', () => {
  const pictures = {...make(5, 0), values: Uint8Array.from({length: 5 * 8 * 8}, (_, place) => (place * 37) % 256)};
  const preprocessing = bind(12);
  const [kept, alone] = [batchBuffer(preprocessing, 3), batchBuffer(preprocessing, 3)];
  preprocessed(pictures, preprocessing).fill(kept, 2, 3);
  fillBatch(alone, pictures, [2, 3, 4], preprocessing);
  expect(kept).toEqual(alone);
});

test('pictures are made once for all evaluations, apart for each preprocessor', () => {
  const pictures = make(3, 255);
  expect(seen(pictures, bind(8))).toBe(1);
  pictures.values.fill(0); // nobody does; it shows what is read again
  expect(seen(pictures, bind(8))).toBe(1);
  expect(seen(pictures, bind(8, {do_normalize: false}))).toBe(0);
  expect(seen(make(3, 0), bind(8))).toBe(-1);
});

test('more than 256 MB are made each time', () => {
  const pictures = make(3000, 255, 160); // 307 MB
  expect(seen(pictures, bind(160))).toBe(1);
  pictures.values.fill(0);
  expect(seen(pictures, bind(160))).toBe(-1);
});

test('what was used longest ago gives way', () => {
  const [first, second] = [make(1500, 255, 160), make(1500, 255, 160)]; // 154 MB each
  expect([seen(first, bind(160)), seen(second, bind(160))]).toEqual([1, 1]);
  first.values.fill(0);
  second.values.fill(0);
  expect([seen(second, bind(160)), seen(first, bind(160))]).toEqual([1, -1]);
});
