import {accessSync, closeSync, constants, fstatSync, lstatSync, openSync, readSync, rmSync} from 'node:fs';
import {DatabaseSync} from 'node:sqlite';
import {pathToFileURL} from 'node:url';
import {openToRead} from './own-file.ts';
import {FILE_MODE} from './rights.ts';
import {systemCode} from './store-error.ts';

/** Tells an index of ours from every other SQLite file: `basn`. */
export const APPLICATION_ID = 0x6261736e;

/** Of the file format of SQLite: how it begins, and where in its first bytes these two numbers are. */
const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;
/** What earlier versions made, which did not sign their index. */
const UNSIGNED_VERSIONS = [1, 2];
const UNSIGNED_TABLES = 'file folder note record remembered';

/** What lies where the index belongs. A file that is not ours is neither written nor removed, and one that cannot be read may be anybody's. */
export type IndexFile = 'none' | 'ours' | 'foreign';

/** Found without a byte written, which merely to open a database may do. */
export function indexFileAt(path: string): IndexFile {
  let file: number;
  try {
    file = openToRead(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return systemCode(error) === 'ENOENT' ? 'none' : 'foreign';
  }
  try {
    const status = fstatSync(file);
    if (!status.isFile()) return 'foreign';
    if (status.size === 0) return 'ours'; // just made
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(file, header, 0, HEADER_BYTES, 0);
    if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) return 'foreign';
    const id = header.readUInt32BE(APPLICATION_ID_AT);
    if (id !== 0) return id === APPLICATION_ID ? 'ours' : 'foreign';
    return UNSIGNED_VERSIONS.includes(header.readUInt32BE(USER_VERSION_AT)) && hasOurTables(path) ? 'ours' : 'foreign';
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return 'foreign';
  } finally {
    closeSync(file);
  }
}

/** Read as a file that nobody changes: SQLite then makes no other beside it. */
function hasOurTables(path: string): boolean {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  const database = new DatabaseSync(url, {readOnly: true});
  try {
    const tables = database.prepare("select name from sqlite_schema where type = 'table' order by name").all();
    return tables.map(({name}) => name).join(' ') === UNSIGNED_TABLES;
  } finally {
    database.close();
  }
}

/** Which file it is, whatever is in it. */
export function identityOf(path: string): string | undefined {
  const status = lstatSync(path, {bigint: true, throwIfNoEntry: false});
  return status && `${status.dev} ${status.ino}`;
}

/**
 * Makes sure that there is a file for an index, and that it is ours to write to; nothing when that cannot be. SQLite would make one that only
 * its owner may write to, as earlier versions had it do: such a one of another member of a group makes room for one that all may write to. It cannot
 * be used as it is: a result that takes the place of another would leave the old one in it.
 */
export function claimIndexFile(path: string): string | undefined {
  if (indexFileAt(path) === 'ours' && !isWritable(path) && !removeIndexFile(path)) return undefined;
  try {
    if (indexFileAt(path) === 'none') closeSync(openSync(path, 'wx', FILE_MODE));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    if (systemCode(error) !== 'EEXIST') return undefined;
  }
  return indexFileAt(path) === 'ours' ? identityOf(path) : undefined;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** With what SQLite keeps beside it; false when that cannot be. */
export function removeIndexFile(path: string): boolean {
  try {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, {force: true});
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
