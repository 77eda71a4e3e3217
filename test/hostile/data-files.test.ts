import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {expect, test} from 'vitest';
import type {Weights} from '../../src/artifact/kinds.ts';
import evaluate from '../../stages/evaluate.ts';
import {embeddedMnist} from '../../stages/lib/data/mnist.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {withBackend} from '../rig/tensor-backends.ts';
import {hostileFolder, told} from './refusal.ts';

const RECORDS =
  'It is damaged, or CIFAR-100, or the Python or MATLAB version: fetch the binary version of CIFAR-10 again.';
const OFFICIAL =
  'The file is damaged, or is another data set of the same format. Fetch it again from its official source.';
const PIECES = 'Give `root:` the folder that holds them, or add `download: true` (162 MiB).';

const tf = await withBackend('cpu');
const model = bindModel({model: 'mlp', hidden: []});
const weights: Weights = {model: model.config, preprocessor: {}, tensors: initialise(model, 1)};
const toldOf = (data: 'mnist' | 'cifar10', folder: string) =>
  told(evaluate, {data: {name: data, root: '.'}, split: 'test'}, folder, {tf, weights});

/** Records of a CIFAR-10 batch with these labels. */
function records(labels: readonly number[], bytes = 3073): Buffer {
  const batch = Buffer.alloc(labels.length * bytes, 7);
  labels.forEach((label, record) => {
    batch[record * bytes] = label;
  });
  return batch;
}

const cifar: readonly (readonly [what: string, batch: Buffer, told: string])[] = [
  [
    'nothing',
    Buffer.alloc(0),
    `data_batch_1.bin has 0 bytes, which is not a whole number of 3073-byte records.\n${RECORDS}`,
  ],
  [
    'a file cut short',
    records([1, 2]).subarray(0, 5000),
    `data_batch_1.bin has 5000 bytes, which is not a whole number of 3073-byte records.\n${RECORDS}`,
  ],
  [
    'a file of one byte too many',
    Buffer.concat([records([1]), Buffer.alloc(1)]),
    `data_batch_1.bin has 3074 bytes, which is not a whole number of 3073-byte records.\n${RECORDS}`,
  ],
  [
    'a record too many',
    records([...Array<number>(10_000).fill(1), 2]),
    `data_batch_1.bin is not the official CIFAR-10 file: its MD5 is 01fde438d9ae267fe8d7941a7aff5875, not 5dd7e06a14cb22eb9f671a540d1b7c25.\n${OFFICIAL}`,
  ],
  [
    'a label that is no class',
    records([1, 9, 10]),
    `Record 2 of data_batch_1.bin has label 10; CIFAR-10 has classes 0 to 9.\nIs it a CIFAR-100 file, or damaged? Fetch the binary version of CIFAR-10 again.`,
  ],
  [
    'CIFAR-100 records',
    records([3, 4], 3074),
    `data_batch_1.bin has 6148 bytes, which is not a whole number of 3073-byte records.\n${RECORDS}`,
  ],
  [
    'gzip',
    gzipSync(records([1])),
    `data_batch_1.bin is compressed with gzip.\nUnpack it under the same name: mv data_batch_1.bin data_batch_1.bin.gz && gunzip data_batch_1.bin.gz`,
  ],
  [
    'the Python version',
    Buffer.from('80027d71015505', 'hex'),
    `data_batch_1.bin has 7 bytes, which is not a whole number of 3073-byte records.\n${RECORDS}`,
  ],
  [
    'another batch under its name',
    records([1, 2, 3]),
    `data_batch_1.bin is not the official CIFAR-10 file: its MD5 is 07482ab965fba94e1804fdab8b17e497, not 5dd7e06a14cb22eb9f671a540d1b7c25.\n${OFFICIAL}`,
  ],
];
test.each(cifar)('a CIFAR-10 batch with %s is refused with what to do', async (_, batch, expected) => {
  const folder = hostileFolder();
  writeFileSync(join(folder, 'data_batch_1.bin'), batch);
  writeFileSync(join(folder, 'test_batch.bin'), records([1]));
  expect(await toldOf('cifar10', folder)).toBe(expected);
});

const idx = (magic: number, sizes: readonly number[], values: Uint8Array): Buffer => {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head.writeUInt32BE(magic, 0);
  sizes.forEach((size, axis) => {
    head.writeUInt32BE(size, 4 + 4 * axis);
  });
  return Buffer.concat([head, values]);
};
const zeros = (n: number) => new Uint8Array(n);
const PICTURES = 't10k-images-idx3-ubyte';
const LABELS = 't10k-labels-idx1-ubyte';
const good = {[PICTURES]: idx(0x803, [2, 2, 2], zeros(8)), [LABELS]: idx(0x801, [2], zeros(2))};

const mnist: readonly (readonly [what: string, file: string, content: Buffer, told: string])[] = [
  [
    'nothing',
    PICTURES,
    Buffer.alloc(0),
    `t10k-images-idx3-ubyte ends inside its header: it has 0 of 16 bytes.\nFetch it again.`,
  ],
  [
    'a header cut short',
    PICTURES,
    idx(0x803, [2], zeros(0)),
    `t10k-images-idx3-ubyte ends inside its header: it has 8 of 16 bytes.\nFetch it again.`,
  ],
  [
    'labels in place of pictures',
    PICTURES,
    idx(0x801, [20], zeros(20)),
    `t10k-images-idx3-ubyte starts with 0x00000801, but an IDX file of unsigned bytes with 3 dimensions starts with 0x00000803.\nIt is a file of labels under another name: give the files their own names.`,
  ],
  [
    'pictures in place of labels',
    LABELS,
    idx(0x803, [2, 2, 2], zeros(8)),
    `t10k-labels-idx1-ubyte starts with 0x00000803, but an IDX file of unsigned bytes with 1 dimension starts with 0x00000801.\nIt is a file of pictures under another name: give the files their own names.`,
  ],
  [
    'numbers of four bytes',
    PICTURES,
    idx(0xd03, [2, 2, 2], zeros(32)),
    `t10k-images-idx3-ubyte starts with 0x00000d03, but an IDX file of unsigned bytes with 3 dimensions starts with 0x00000803.\nIt is damaged, or no IDX file at all: fetch it again.`,
  ],
  [
    'a little-endian header',
    PICTURES,
    idx(0x03080000, [2, 2, 2], zeros(8)),
    `t10k-images-idx3-ubyte starts with 0x03080000, but an IDX file of unsigned bytes with 3 dimensions starts with 0x00000803.\nIt is damaged, or no IDX file at all: fetch it again.`,
  ],
  [
    'values cut short',
    PICTURES,
    idx(0x803, [2, 2, 2], zeros(7)),
    `t10k-images-idx3-ubyte promises 2 × 2 × 2 = 8 values and holds 7.\nIt is cut short: fetch it again.`,
  ],
  [
    'values too many',
    LABELS,
    idx(0x801, [2], zeros(3)),
    `t10k-labels-idx1-ubyte promises 2 = 2 values and holds 3.\nSomething was added to it: fetch it again.`,
  ],
  [
    'sizes of terabytes',
    PICTURES,
    idx(0x803, [0xffffffff, 0xffffffff, 28], zeros(8)),
    `t10k-images-idx3-ubyte promises 4294967295 × 4294967295 × 28 = 516508833823349300000 values and holds 8.\nIt is cut short: fetch it again.`,
  ],
  [
    'sizes whose product overflows 64 bits to none',
    PICTURES,
    idx(0x803, [2 ** 31, 2 ** 31, 4], zeros(0)),
    `t10k-images-idx3-ubyte promises 2147483648 × 2147483648 × 4 = 18446744073709552000 values and holds 0.\nIt is cut short: fetch it again.`,
  ],
  [
    'more pictures than labels',
    PICTURES,
    idx(0x803, [3, 2, 2], zeros(12)),
    `t10k-images-idx3-ubyte has 3 pictures, but t10k-labels-idx1-ubyte has 2 labels.\nThe two files belong to different splits or data sets: fetch both again.`,
  ],
  [
    'a label that is no class',
    LABELS,
    idx(0x801, [2], Uint8Array.of(9, 10)),
    `Label 1 in t10k-labels-idx1-ubyte is 10; MNIST has classes 0 to 9.\n${OFFICIAL}`,
  ],
  [
    'gzip',
    PICTURES,
    gzipSync(good[PICTURES] ?? zeros(0)),
    `t10k-images-idx3-ubyte is compressed with gzip.\nUnpack it under the same name: mv t10k-images-idx3-ubyte t10k-images-idx3-ubyte.gz && gunzip t10k-images-idx3-ubyte.gz`,
  ],
  [
    'other pictures than the official ones',
    PICTURES,
    idx(0x803, [2, 2, 2], zeros(8)),
    `t10k-images-idx3-ubyte is not the official MNIST file: its MD5 is 02c21899039233a74c8e0c2a57e2e864, not 2646ac647ad5339dbf082846283269ea.\n${OFFICIAL}`,
  ],
];
test.each(mnist)('an IDX file with %s is refused with what to do', async (_, file, content, expected) => {
  const folder = hostileFolder();
  for (const name of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'])
    symlinkSync(join(embeddedMnist() ?? '', name), join(folder, name));
  for (const [name, bytes] of Object.entries({...good, [file]: content})) writeFileSync(join(folder, name), bytes);
  expect(await toldOf('mnist', folder)).toBe(expected);
});

test('a pipe, a folder or a device in place of a data file is not waited on', async () => {
  const folder = hostileFolder();
  writeFileSync(join(folder, 'test_batch.bin'), records([1]));
  const batch = join(folder, 'data_batch_1.bin');
  const missing = `CIFAR-10 (binary version) is not in .: no test_batch.bin with data_batch_1.bin … data_batch_5.bin.\n${PIECES}`;
  execFileSync('mkfifo', [batch]);
  expect(await toldOf('cifar10', folder)).toBe(missing);
  rmSync(batch);
  mkdirSync(batch);
  expect(await toldOf('cifar10', folder)).toBe(missing);
  rmSync(batch, {recursive: true});
  symlinkSync('/dev/zero', batch);
  expect(await toldOf('cifar10', folder)).toBe(missing);
});

test('a data file far too large is not read into memory', async () => {
  const folder = hostileFolder();
  writeFileSync(join(folder, 'test_batch.bin'), records([1]));
  writeFileSync(join(folder, 'data_batch_1.bin'), records([1]));
  truncateSync(join(folder, 'data_batch_1.bin'), 3073 * 100_000); // a hole: it takes no disk
  const before = process.memoryUsage().arrayBuffers;
  expect(await toldOf('cifar10', folder)).toBe(
    `The data file data_batch_1.bin in FOLDER has 307300000 bytes; no official one has over 200000000.\nIt is another file under this name, or something was added to it: fetch it again from its official source.`,
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
});
