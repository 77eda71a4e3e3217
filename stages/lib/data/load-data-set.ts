import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {canonicalJson} from '../../../src/base/canonical-json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {checkPinnedNames, pinnedState} from '../../../src/stage/pinned-files.ts';
import {openModule} from '../../../src/stage/user-module.ts';
import {fileNameOf} from '../user-code.ts';
import {CIFAR10_CLASSES, CIFAR10_FILES, CIFAR10_TEST_FILE, CIFAR10_TRAIN_FILES, readCifar10} from './cifar10.ts';
import type {DataSetValue, Split} from './data-set-value.ts';
import {MNIST_CLASSES, MNIST_FILES, readMnist} from './mnist.ts';
import {permutation} from './permutation.ts';
import {firstPictures, inSharedMemory, type Pictures, picturesAt} from './pictures.ts';
import {bindDataSet, declaredFiles, loadUserDataSet} from './user-data-set.ts';

/** A data set in memory, after `classes`, `limit` and `validation`, in this order. */
export interface DataSet {
  readonly name: string;
  /** Number of classes; labels run from 0 to classes − 1. */
  readonly classes: number;
  readonly train: Pictures;
  readonly test: Pictures;
  readonly validation: Pictures | undefined;
  /** What is worth a log line: batches that are missing. */
  readonly notes: readonly string[];
}

/** The data set's split, or a StageError when it has none of that name. */
export function splitOf(data: DataSet, split: Split): Pictures {
  const pictures = data[split];
  if (!pictures) {
    throw new StageError(
      `The data set ${data.name} has no split ${split}.`,
      'Add `validation: {n: 5000}` to the data set.',
    );
  }
  return pictures;
}

const KEPT = 3;
const recent = new Map<string, Promise<DataSet>>();

/**
 * Reads a located data set. The last few are kept in memory by their value and their files' digests, times and sizes, so the
 * points of a sweep that run in one process decode it once. Files that are malformed or not the official ones are
 * StageErrors.
 */
export async function loadDataSet(value: DataSetValue): Promise<DataSet> {
  const root = value.root;
  if (root === undefined) throw new Error('Internal error: a data set reached a stage without being located');
  const files = await filesOf(value, root);
  const key = `${canonicalJson(JSON.parse(JSON.stringify(value)))} ${await fingerprint(root, files)}`;
  const known = recent.get(key);
  const data = known ?? decode(value, root);
  recent.delete(key);
  recent.set(key, data); // a Map keeps insertion order: the oldest comes first
  data.catch(() => recent.delete(key));
  for (const oldest of recent.keys()) {
    if (recent.size <= KEPT) break;
    recent.delete(oldest);
  }
  return data;
}

async function filesOf(value: DataSetValue, root: string): Promise<readonly string[]> {
  if (!('settings' in value)) return Object.keys(value.name === 'mnist' ? MNIST_FILES : CIFAR10_FILES);
  return declaredFiles(bindDataSet(await openModule(value.name), value.settings).files, root);
}

async function fingerprint(root: string, names: readonly string[]): Promise<string> {
  const paths = names.map((name) => join(root, name));
  const stats = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  return [pinnedState(paths), ...stats.map((file) => `${file?.size}:${file?.mtimeMs}`)].join(' ');
}

async function decode(value: DataSetValue, root: string): Promise<DataSet> {
  const {train, test, classes, notes} = await whole(value, root);
  const chosen = (pictures: Pictures, limit: number | undefined): Pictures => {
    const filtered = value.classes ? ofClasses(pictures, value.classes) : pictures;
    return limit === undefined ? filtered : firstPictures(filtered, limit);
  };
  const training = chosen(train, value.limit?.train);
  const split = value.validation
    ? takeValidation(training, value.validation)
    : {train: training, validation: undefined};
  return {
    name: fileNameOf(value.name),
    classes: value.classes?.length ?? classes,
    train: inSharedMemory(split.train), // once here, for all trainings with it
    validation: split.validation,
    test: chosen(test, value.limit?.test),
    notes,
  };
}

type Whole = Pick<DataSet, 'train' | 'test' | 'classes' | 'notes'>;

async function whole(value: DataSetValue, root: string): Promise<Whole> {
  if ('settings' in value) return {...(await loadUserDataSet(value.name, root, value.settings)), notes: []};
  return value.name === 'mnist' ? mnist(root) : cifar10(root);
}

async function mnist(root: string): Promise<Whole> {
  const [train, test] = await Promise.all([readMnist(root, 'train', true), readMnist(root, 'test', true)]);
  return {train, test, classes: MNIST_CLASSES, notes: []};
}

async function cifar10(root: string): Promise<Whole> {
  const names = new Set(await readdir(root).catch(() => []));
  const batches = CIFAR10_TRAIN_FILES.filter((name) => names.has(name));
  checkPinnedNames(
    root,
    [...batches, CIFAR10_TEST_FILE].map((name) => join(root, name)),
  );
  const notes =
    batches.length < CIFAR10_TRAIN_FILES.length
      ? [
          `CIFAR-10 has ${batches.length} of its ${CIFAR10_TRAIN_FILES.length} training batches here: ${batches.join(', ')}.`,
        ]
      : [];
  const train = await readCifar10(root, batches, true);
  const test = await readCifar10(root, [CIFAR10_TEST_FILE], true);
  return {train, test, classes: CIFAR10_CLASSES, notes};
}

/** Keeps the listed classes, in file order; class `classes[i]` becomes label i. */
function ofClasses(pictures: Pictures, classes: readonly number[]): Pictures {
  const relabel = new Map(classes.map((label, index) => [label, index]));
  const indices: number[] = [];
  pictures.labels.forEach((label, index) => {
    if (relabel.has(label)) indices.push(index);
  });
  return picturesAt(pictures, indices, relabel);
}

/** Splits n pictures off by a seeded draw; both parts keep file order. */
function takeValidation(
  pictures: Pictures,
  {n, seed}: {readonly n: number; readonly seed: number},
): {readonly train: Pictures; readonly validation: Pictures} {
  if (n >= pictures.n) {
    throw new StageError(
      `A validation split of ${n} leaves nothing to train on: there are ${pictures.n} training pictures.`,
      'Lower `validation.n`, or raise `limit.train`.',
    );
  }
  const taken = new Uint8Array(pictures.n);
  for (const index of permutation(pictures.n, seed, 'subset', 0, n)) taken[index] = 1;
  const at = (wanted: number): number[] => Array.from(taken.keys()).filter((index) => taken[index] === wanted);
  return {train: picturesAt(pictures, at(0)), validation: picturesAt(pictures, at(1))};
}

/** A seeded draw of n pictures in file order; all of them when there are no more. */
export function subset(pictures: Pictures, n: number, seed: number): Pictures {
  return n >= pictures.n ? pictures : picturesAt(pictures, permutation(pictures.n, seed, 'subset', 0, n).toSorted());
}
