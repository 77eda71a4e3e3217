import {randomUUID} from 'node:crypto';
import {
  closeSync,
  type Dirent,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {isDigest} from '../base/digest.ts';
import {FORMAT_DRAFT, isDraftName} from './draft-folders.ts';
import {openToAdd, openToRead} from './own-file.ts';
import {FILE_MODE, FOLDER_MODE} from './rights.ts';
import {StoreError, systemCode} from './store-error.ts';
import {STORE_FORMAT, type StoreLayout} from './store-layout.ts';

/** What earlier versions made before FORMAT, so that one that was killed may have left them without it. */
const FOLDERS = ['keys', 'blobs', 'runs', 'scratch', 'tmp'] as const;

/**
 * Whether a folder is a store of ours. FORMAT says so, and is the first thing that is written; without it nothing in the folder is ours, and it
 * becomes a store only when there is nothing in it to harm.
 *
 * @throws StoreError when it is a file, a store of another format, or has something else in it.
 */
export function isStore(layout: StoreLayout): boolean {
  if (hasFormat(layout)) return true;
  const other = otherThing(layout);
  if (other === undefined) return false;
  if (hasFormat(layout)) return true; // another driver made the store meanwhile
  if (holdsResults(layout))
    throw new StoreError(
      'store-format',
      `The cache at ${layout.root} has lost its file FORMAT, without which nobody knows what wrote it.`,
      `If it was this basin, write the file again (a line that says ${STORE_FORMAT}). Else name another folder with --cache DIR or BASIN_CACHE.`,
    );
  throw foreign(layout, other);
}

const foreign = ({root}: StoreLayout, other: string): StoreError =>
  new StoreError(
    'store-foreign',
    `The folder ${root} is no cache of basin: it has no file FORMAT, but other things, as ${JSON.stringify(other)}.`,
    'Nothing in it was touched. Name another folder, or an empty one, with --cache DIR or BASIN_CACHE.',
  );

/**
 * As `isStore`, for a process that has worked on it: what somebody's `rm -r` has left so far, and what workers have put there since, is of this
 * format, since it is ours.
 */
function isStillStore(layout: StoreLayout): boolean {
  if (hasFormat(layout)) return true;
  const {root, index, leases} = layout;
  const files = [index, `${index}-wal`, `${index}-shm`, leases];
  const other = entriesOf(root).find(({name}) => {
    const path = join(root, name);
    return !HARMLESS.test(name) && !files.includes(path) && !FOLDERS.some((folder) => folder === name);
  });
  if (other && !hasFormat(layout)) throw foreign(layout, other.name);
  return other !== undefined;
}

function hasFormat(layout: StoreLayout): boolean {
  const text = formatText(layout);
  if (text === undefined) return false;
  if (text.trim() === String(STORE_FORMAT)) return true;
  const newer = Number(text) > STORE_FORMAT;
  throw new StoreError(
    'store-format',
    newer
      ? `The cache at ${layout.root} was written by a newer basin: it has format ${text.trim()}, and this one knows ${STORE_FORMAT}.`
      : `The cache at ${layout.root} has no format that this basin knows: its FORMAT file says ${JSON.stringify(text.slice(0, 40))}.`,
    newer
      ? 'Update basin, or name another folder with --cache DIR or BASIN_CACHE.'
      : 'Name another folder with --cache DIR or BASIN_CACHE, or delete this one if it is no cache you need.',
  );
}

function formatText({root, format}: StoreLayout): string | undefined {
  let file: number;
  try {
    file = openToRead(format);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (systemCode(error) !== 'ENOTDIR' || !existsSync(root)) throw error;
    throw new StoreError(
      'store-is-a-file',
      `The cache at ${root} is a file, not a folder.`,
      'Move it away, or name another folder with --cache DIR or BASIN_CACHE.',
    );
  }
  try {
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/** What people, version control and file systems put into a folder that is meant for a cache. */
const HARMLESS = /^(\..*|readme(\..*)?|lost\+found|cachedir\.tag)$/i;

/** The name of something in a folder without FORMAT that may be somebody's. */
function otherThing({root, leases}: StoreLayout): string | undefined {
  for (const entry of entriesOf(root)) {
    const path = join(root, entry.name);
    if (HARMLESS.test(entry.name) || (path === leases && isEmptyFile(path))) continue;
    if (!entry.isDirectory() || !FOLDERS.some((name) => name === entry.name)) return entry.name;
    const within = entriesOf(path).find(({name}) => entry.name !== 'tmp' || !isDraftName(name));
    if (within) return join(entry.name, within.name);
  }
  return undefined;
}

const isEmptyFile = (path: string): boolean => {
  const status = lstatSync(path, {throwIfNoEntry: false});
  return status?.isFile() === true && status.size === 0;
};

/** Whether something lies there that nobody but a basin would name so. */
function holdsResults({keys, blobs}: StoreLayout): boolean {
  return [keys, blobs].some((folder) =>
    entriesOf(folder).some(
      ({name}) =>
        /^[0-9a-f]{2}$/.test(name) &&
        entriesOf(join(folder, name)).some((file) => isDigest(file.name.replace(/\.[a-z]+$/, ''))),
    ),
  );
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, {withFileTypes: true});
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/**
 * Makes the folders of a store, FORMAT before all that needs it.
 *
 * @param isAgain Whether this process has made sure of it before: somebody has removed or moved it since.
 * @throws as `isStore`: much may have happened since it was asked.
 */
export function makeStore(layout: StoreLayout, isAgain = false): void {
  if (!(isAgain ? isStillStore(layout) : isStore(layout))) {
    mkdirSync(layout.tmp, {recursive: true, mode: FOLDER_MODE});
    writeFormat(layout);
  }
  for (const folder of FOLDERS) mkdirSync(layout[folder], {recursive: true, mode: FOLDER_MODE});
  closeSync(openToAdd(layout.leases)); // what cannot be locked is told before anything is computed
}

/** Whole or not at all: an empty one, as a full disk would leave it, is of no format that is known. */
function writeFormat({format, tmp}: StoreLayout): void {
  const draft = join(tmp, `${FORMAT_DRAFT}${randomUUID()}`);
  try {
    writeFileSync(draft, `${STORE_FORMAT}\n`, {mode: FILE_MODE});
    renameSync(draft, format);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || !existsSync(format)) throw error; // another process was first, and took this for left behind
  } finally {
    rmSync(draft, {force: true});
  }
}
