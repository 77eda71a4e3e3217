import {isDeepStrictEqual} from 'node:util';
import type {Pictures} from '../data/pictures.ts';
import {type BatchBuffer, batchBuffer, fillRun} from './batch.ts';
import type {Preprocessing} from './preprocessor.ts';

/** What is kept at most, over all sets of pictures: twice the 123 MB that the 10,000 test pictures of CIFAR-10 take at 32 pixels. */
const MOST_BYTES = 256e6;

/** Pictures without augmentation, by their place. */
interface Preprocessed {
  /** Writes pictures `start` to `start + n` and their labels to the front of the buffer. */
  fill(buffer: BatchBuffer, start: number, n: number): void;
}

interface Kept {
  readonly pictures: Pictures;
  readonly preprocessing: Preprocessing;
  readonly whole: BatchBuffer;
}

/** The one used longest ago comes first. */
let kept: readonly Kept[] = [];

const bytesOf = ({pixels}: BatchBuffer): number => pixels.byteLength;

const samePixels = (a: Preprocessing, b: Preprocessing): boolean =>
  a.size === b.size &&
  isDeepStrictEqual(a.fit, b.fit) &&
  a.table.length === b.table.length &&
  a.table.every((value, place) => value === b.table[place]);

/**
 * Preprocesses pictures that are looked at again and again: those of one data set in memory are made once for all evaluations in this
 * process, as long as they are among the last used 256 MB. More than that is made batch by batch each time.
 */
export function preprocessed(pictures: Pictures, preprocessing: Preprocessing): Preprocessed {
  const {channels, size} = preprocessing;
  const each = channels * size * size;
  if (4 * each * pictures.n > MOST_BYTES) {
    return {fill: (buffer, start, n) => fillRun(buffer, pictures, {start, n}, preprocessing)};
  }
  const {whole} = keep(pictures, preprocessing);
  return {
    fill(buffer, start, n) {
      buffer.pixels.set(whole.pixels.subarray(start * each, (start + n) * each));
      buffer.labels.set(whole.labels.subarray(start, start + n));
    },
  };
}

function keep(pictures: Pictures, preprocessing: Preprocessing): Kept {
  const known = kept.find((entry) => entry.pictures === pictures && samePixels(entry.preprocessing, preprocessing));
  const entry = known ?? {pictures, preprocessing, whole: wholeOf(pictures, preprocessing)};
  const all = [...kept.filter((other) => other !== entry), entry];
  kept = all.filter((_, place) => all.slice(place).reduce((sum, {whole}) => sum + bytesOf(whole), 0) <= MOST_BYTES);
  return entry;
}

function wholeOf(pictures: Pictures, preprocessing: Preprocessing): BatchBuffer {
  const whole = batchBuffer(preprocessing, pictures.n);
  fillRun(whole, pictures, {start: 0, n: pictures.n}, preprocessing);
  return whole;
}
