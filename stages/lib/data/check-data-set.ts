import {described, fieldOf} from '../../../src/base/described.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {Pictures} from './pictures.ts';

/** A user's data set, whose splits are of one size. */
export interface CheckedDataSet {
  readonly classes: number;
  readonly train: Pictures;
  readonly test: Pictures;
}

/** No network has more. */
const MOST_CLASSES = 65_536;

const WHOLE =
  'Have "load" return {classes, train, test}, where train and test are {channels, height, width, values, labels}.';

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value > 0;

/** What the `load` of a user's file gave, looked at as a whole. @throws StageError without the name of the file. */
export function checkedDataSet(loaded: unknown): CheckedDataSet {
  if (typeof loaded !== 'object' || loaded === null)
    throw new StageError(`its "load" gives ${described(loaded)}.`, WHOLE);
  const classes = fieldOf(loaded, 'classes');
  if (!isCount(classes) || classes > MOST_CLASSES)
    throw new StageError(
      `its "load" gives ${described(classes)} as \`classes\`.`,
      `Give the number of classes, a whole number from 1 to ${MOST_CLASSES}.`,
    );
  const train = picturesOf(fieldOf(loaded, 'train'), classes, 'train');
  const test = picturesOf(fieldOf(loaded, 'test'), classes, 'test');
  for (const side of ['channels', 'height', 'width'] as const)
    if (train[side] !== test[side])
      throw new StageError(
        `train and test differ in their ${side}: ${train[side]} and ${test[side]}.`,
        'Give both the same size.',
      );
  return {classes, train, test};
}

function picturesOf(split: unknown, classes: number, what: 'train' | 'test'): Pictures {
  if (typeof split !== 'object' || split === null)
    throw new StageError(`its "load" gives ${described(split)} as \`${what}\`.`, WHOLE);
  if (split instanceof Promise)
    throw new StageError(`its "load" gives a promise as \`${what}\`.`, `Await it: ${what}: await ….`);
  const [channels, height, width] = [
    sideOf(split, 'channels', what),
    sideOf(split, 'height', what),
    sideOf(split, 'width', what),
  ];
  const given = fieldOf(split, 'labels');
  const n = countOf(given, what);
  const values = fieldOf(split, 'values');
  if (!(values instanceof Uint8Array))
    throw new StageError(
      `${what} has ${described(values)} as \`values\`.`,
      'Give a Uint8Array: levels from 0 to 255, in the order picture, channel, row, column.',
    );
  const size = channels * height * width;
  if (values.length !== n * size)
    throw new StageError(
      `${what} has ${n} labels, so it needs ${n} × ${channels} × ${height} × ${width} = ${n * size} bytes in a Uint8Array, and has ${values.length}.`,
      'Check what load gives: bytes in the order picture, channel, row, column.',
    );
  return {n, channels, height, width, values, labels: labelsOf(given, n, classes, what)};
}

function sideOf(split: object, side: 'channels' | 'height' | 'width', what: string): number {
  const value = fieldOf(split, side);
  if (isCount(value)) return value;
  throw new StageError(
    `${what} has ${described(value)} as \`${side}\`.`,
    'Give channels, height and width of a picture, whole numbers from 1.',
  );
}

function countOf(labels: unknown, what: string): number {
  const n = fieldOf(labels, 'length');
  if (isCount(n)) return n;
  if (n === 0) throw new StageError(`${what} has no pictures.`, 'Give one picture at least, and its label.');
  throw new StageError(
    `${what} has ${described(labels)} as \`labels\`.`,
    'Give a list or an Int32Array with the class of each picture.',
  );
}

function labelsOf(given: unknown, n: number, classes: number, what: string): Int32Array {
  const labels = new Int32Array(n);
  for (let picture = 0; picture < n; picture++) {
    const label = fieldOf(given, String(picture));
    if (typeof label !== 'number' || !Number.isInteger(label) || label < 0 || label >= classes)
      throw new StageError(
        `${what} has ${typeof label === 'number' ? `the label ${label}` : `${described(label)} as the label`} at picture ${picture}, and there are ${classes} classes.`,
        'Labels are whole numbers from 0, below `classes`.',
      );
    labels[picture] = label;
  }
  return labels;
}
