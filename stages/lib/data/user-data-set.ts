import {readdir, stat} from 'node:fs/promises';
import {isAbsolute, join, posix, sep} from 'node:path';
import type {JsonObject} from '../../../src/base/json.ts';
import {isStoreFolder} from '../../../src/base/store-folder.ts';
import {UserError} from '../../../src/base/user-error.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {checkPinnedNames, readPinned} from '../../../src/stage/pinned-files.ts';
import {openModule, type UserModule} from '../../../src/stage/user-module.ts';
import {fileNameOf, ofUser, userFault} from '../user-code.ts';
import {type BoundDataSet, isDataSetDefinition, type LoadedPictures, type SplitPictures} from './define-data-set.ts';
import type {Pictures} from './pictures.ts';

const MOST_FILES = 1_000_000;

function definitionIn({reference, exported}: UserModule) {
  const name = fileNameOf(reference);
  if (isDataSetDefinition(exported)) return {name, definition: exported};
  throw new StageError(
    `What ${name} exports by default was not made by defineDataSet.`,
    'Write export default defineDataSet({…}), with import {defineDataSet} from "lossbasin".',
  );
}

/** What a data set's schema gives for settings as they are written. @throws StageError when the file or they are not right. */
export function checkDataSet(module: UserModule, settings: JsonObject): JsonObject {
  const {name, definition} = definitionIn(module);
  return ofUser(name, () => definition.check(settings));
}

/** A user's data set as its file declares it, with settings that `checkDataSet` gave. @throws StageError when the file is not right. */
export function bindDataSet(module: UserModule, settings: JsonObject): BoundDataSet {
  const {name, definition} = definitionIn(module);
  return ofUser(name, () => definition.bind(settings));
}

/** The files that a data set declares, as paths below its root, sorted. @throws StageError when one is not there or lies elsewhere. */
export async function declaredFiles(declared: readonly string[], root: string): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const path of declared) {
    const normal = posix.normalize(path).replace(/\/$/, '');
    if (isAbsolute(normal) || normal === '..' || normal.startsWith('../'))
      throw new StageError(
        `The file ${path} of the data set lies outside of its root.`,
        'Give `root:` a folder above it.',
      );
    const found = await stat(join(root, normal)).catch(() => undefined);
    if (!found)
      throw new StageError(`The file ${path} of the data set is not in its root.`, 'Give `root:` its folder.');
    const inside = found.isDirectory() ? await filesBelow(join(root, normal), root) : [normal];
    for (const name of inside) names.add(name);
    if (names.size > MOST_FILES) throw new StageError(`The data set has more than ${MOST_FILES} files.`);
  }
  return [...names].sort();
}

/** Without those of caches of basin's, which every run changes. */
async function filesBelow(folder: string, root: string): Promise<readonly string[]> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true});
  const stores = entries.flatMap(({name, parentPath}) =>
    name === 'FORMAT' && isStoreFolder(parentPath) ? [`${parentPath}${sep}`] : [],
  );
  return entries
    .filter((entry) => entry.isFile() && !stores.some((store) => `${entry.parentPath}${sep}`.startsWith(store)))
    .map((entry) => posix.join(posix.relative(root, entry.parentPath), entry.name));
}

/** Loads a user's data set that was located. @throws StageError that names its file. */
export async function loadUserDataSet(
  reference: string,
  root: string,
  settings: JsonObject,
): Promise<{readonly classes: number; readonly train: Pictures; readonly test: Pictures}> {
  const name = fileNameOf(reference);
  const bound = bindDataSet(await openModule(reference), settings);
  const names = await declaredFiles(bound.files, root);
  checkPinnedNames(
    root,
    names.map((file) => join(root, file)),
  );
  let fault: UserError | undefined;
  const read = async (file: string): Promise<Uint8Array> => {
    if (names.includes(file)) {
      try {
        return await readPinned(join(root, file));
      } catch (error) {
        if (error instanceof UserError) fault = error;
        throw error;
      }
    }
    throw new StageError(
      `The file ${file} was not declared.`,
      'Return it from `files` as well: what is not declared is in no key.',
    );
  };
  const loaded = await load(bound, name, {names, read}).finally(() => {
    if (fault) throw fault; // also where the file's code goes on after it
  });
  const train = picturesOf(loaded.train, loaded.classes, `${name}: train`);
  const test = picturesOf(loaded.test, loaded.classes, `${name}: test`);
  for (const side of ['channels', 'height', 'width'] as const)
    if (train[side] !== test[side])
      throw new StageError(`${name}: train and test differ in their ${side}.`, 'Give both the same size.');
  return {classes: loaded.classes, train, test};
}

async function load(
  bound: BoundDataSet,
  name: string,
  files: Parameters<BoundDataSet['load']>[0],
): Promise<LoadedPictures> {
  try {
    return await bound.load(files);
  } catch (error) {
    throw userFault(name, error);
  }
}

const isCount = (value: number): boolean => Number.isInteger(value) && value > 0;

function picturesOf({channels, height, width, values, labels}: SplitPictures, classes: number, what: string): Pictures {
  const n = labels.length;
  if (![channels, height, width, classes, n].every(isCount))
    throw new StageError(
      `${what} has no pictures, or sizes that are not whole numbers from 1.`,
      'Check what load gives.',
    );
  const size = channels * height * width;
  if (!(values instanceof Uint8Array) || values.length !== n * size) {
    throw new StageError(
      `${what} has ${n} labels, so it needs ${n} × ${channels} × ${height} × ${width} = ${n * size} bytes in a Uint8Array, and has ${values.length}.`,
      'Check what load gives: bytes in the order picture, channel, row, column.',
    );
  }
  const wrong = Array.from(labels).findIndex((label) => !Number.isInteger(label) || label < 0 || label >= classes);
  if (wrong >= 0) {
    throw new StageError(
      `${what} has the label ${labels[wrong]} at picture ${wrong}, and there are ${classes} classes.`,
      'Labels are whole numbers from 0, below `classes`.',
    );
  }
  return {n, channels, height, width, values, labels: Int32Array.from(labels)};
}
