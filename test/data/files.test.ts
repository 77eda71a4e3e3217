import {expect, test} from 'vitest';
import {StageError} from '../../src/stage/define-stage.ts';
import {readIdx} from '../../stages/lib/data/idx.ts';

const idx = (magic: number, sizes: readonly number[], values: readonly number[]): Uint8Array => {
  const bytes = Buffer.alloc(4 + 4 * sizes.length + values.length);
  bytes.writeUInt32BE(magic, 0);
  for (const [axis, size] of sizes.entries()) bytes.writeUInt32BE(size, 4 + 4 * axis);
  bytes.set(values, 4 + 4 * sizes.length);
  return bytes;
};
const read = (bytes: Uint8Array, rank = 3) => readIdx({name: 'train-images-idx3-ubyte', bytes}, rank);

test('an IDX file gives its sizes and values', () => {
  const {sizes, values} = read(idx(0x803, [2, 1, 2], [1, 2, 3, 4]));
  expect(sizes).toEqual([2, 1, 2]);
  expect([...values]).toEqual([1, 2, 3, 4]);
});

test.each([
  [
    'a label file in its place',
    idx(0x801, [9], new Array<number>(9).fill(1)),
    'train-images-idx3-ubyte starts with 0x00000801, but an IDX file of unsigned bytes with 3 dimensions starts with 0x00000803.',
  ],
  [
    'fewer values than promised',
    idx(0x803, [2, 2, 2], [1, 2]),
    'train-images-idx3-ubyte promises 2 × 2 × 2 = 8 values and holds 2.',
  ],
  [
    'more values than promised',
    idx(0x803, [1, 1, 1], [1, 2]),
    'train-images-idx3-ubyte promises 1 × 1 × 1 = 1 values and holds 2.',
  ],
  [
    'sizes beyond all memory',
    idx(0x803, [0xffffffff, 0xffffffff, 28], [1]),
    'train-images-idx3-ubyte promises 4294967295 × 4294967295 × 28 = ',
  ],
  [
    'an unfinished header',
    Uint8Array.of(0, 0, 8, 3, 0),
    'train-images-idx3-ubyte ends inside its header: it has 5 of 16 bytes.',
  ],
  ['an empty file', new Uint8Array(0), 'train-images-idx3-ubyte ends inside its header: it has 0 of 16 bytes.'],
  ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), 'train-images-idx3-ubyte is compressed with gzip.'],
])('%s is refused by the file’s name', (_, bytes, message) => {
  expect(() => read(bytes)).toThrow(StageError);
  expect(() => read(bytes)).toThrow(message);
});
