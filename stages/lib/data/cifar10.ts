import {StageError} from '../../../src/stage/define-stage.ts';
import {checkMd5, type DataFile, readDataFile, refuseGzip} from './checked-file.ts';
import type {Pictures} from './pictures.ts';

/** MD5 of each file of the official binary version, unpacked. */
export const CIFAR10_FILES: Readonly<Record<string, string>> = {
  'data_batch_1.bin': '5dd7e06a14cb22eb9f671a540d1b7c25',
  'data_batch_2.bin': '5ea93a67294ea407fff1d09f752e9692',
  'data_batch_3.bin': '942cd6a4bcdd0dd3c604fbe906cb4421',
  'data_batch_4.bin': 'ae636b3ba5c66a11e91e8cb52e771fcb',
  'data_batch_5.bin': '53f37980c15c3d472c316c40844f3f0d',
  'test_batch.bin': '803d5f7f4d78ea53de84dbe85f74fb6d',
};
export const CIFAR10_TEST_FILE = 'test_batch.bin';
export const CIFAR10_TRAIN_FILES = Object.keys(CIFAR10_FILES).filter((name) => name !== CIFAR10_TEST_FILE);
/** The folder inside the official archive. */
export const CIFAR10_FOLDER = 'cifar-10-batches-bin';
export const CIFAR10_CLASSES = 10;
/** Bytes of an official batch: 10,000 records of a label and 3 × 32 × 32 levels. */
export const CIFAR10_BATCH_BYTES = 30_730_000;

const PICTURE = 3 * 32 * 32;
const RECORD = 1 + PICTURE;

/** Reads batches in the given order into one split. Sizes and labels are checked; `official` also compares MD5s. */
export async function readCifar10(folder: string, names: readonly string[], official: boolean): Promise<Pictures> {
  const files: DataFile[] = [];
  for (const name of names) {
    const file = await readDataFile(folder, name);
    checkRecords(file);
    if (official) checkMd5(file, CIFAR10_FILES[name] ?? '', 'CIFAR-10');
    files.push(file);
  }
  const n = files.reduce((total, file) => total + file.bytes.length / RECORD, 0);
  const values = new Uint8Array(n * PICTURE);
  const labels = new Int32Array(n);
  let picture = 0;
  for (const {bytes} of files) {
    for (let start = 0; start < bytes.length; start += RECORD) {
      labels[picture] = bytes[start] ?? 0;
      values.set(bytes.subarray(start + 1, start + RECORD), picture * PICTURE);
      picture++;
    }
  }
  return {n, channels: 3, height: 32, width: 32, values, labels};
}

function checkRecords(file: DataFile): void {
  refuseGzip(file);
  const {name, bytes} = file;
  if (bytes.length === 0 || bytes.length % RECORD !== 0) {
    throw new StageError(
      `${name} has ${bytes.length} bytes, which is not a whole number of ${RECORD}-byte records.`,
      'It is damaged, or CIFAR-100, or the Python or MATLAB version: fetch the binary version of CIFAR-10 again.',
    );
  }
  for (let start = 0; start < bytes.length; start += RECORD) {
    const label = bytes[start] ?? 0;
    if (label >= CIFAR10_CLASSES) {
      throw new StageError(
        `Record ${start / RECORD} of ${name} has label ${label}; CIFAR-10 has classes 0 to 9.`,
        'Is it a CIFAR-100 file, or damaged? Fetch the binary version of CIFAR-10 again.',
      );
    }
  }
}
