import {readdir, stat} from 'node:fs/promises';
import {isAbsolute, join, posix, sep} from 'node:path';
import type {JsonObject} from '../../../src/base/json.ts';
import {isStoreFolder} from '../../../src/base/store-folder.ts';
import {UserError} from '../../../src/base/user-error.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {checkPinnedNames, readPinned} from '../../../src/stage/pinned-files.ts';
import {openModule, type UserModule} from '../../../src/stage/user-module.ts';
import {fileNameOf, ofUser, userFault} from '../user-code.ts';
import {type CheckedDataSet, checkedDataSet} from './check-data-set.ts';
import {type BoundDataSet, isDataSetDefinition} from './define-data-set.ts';

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
export async function loadUserDataSet(reference: string, root: string, settings: JsonObject): Promise<CheckedDataSet> {
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
  return ofUser(name, () => checkedDataSet(loaded));
}

async function load(bound: BoundDataSet, name: string, files: Parameters<BoundDataSet['load']>[0]): Promise<unknown> {
  try {
    return await bound.load(files);
  } catch (error) {
    throw userFault(name, error);
  }
}
