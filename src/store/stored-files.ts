import type {Dirent} from 'node:fs';
import {lstat, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {type Digest, isDigest, isKey, type Key} from '../base/digest.ts';
import {systemCode} from './store-error.ts';
import type {StoreLayout} from './store-layout.ts';

export interface StoredFile<Name> {
  readonly name: Name;
  readonly path: string;
  readonly bytes: number;
  /** When it came to its place, or was last handed to a program: a rename and a link set it, so it says nothing about when its bytes were written. In milliseconds. */
  readonly since: number;
}

/** What lies where a file or a folder of files should, and is none or cannot be looked into. */
export type Odd<Name> =
  | {readonly why: 'a link' | 'no file'; readonly path: string; readonly name: Name | undefined}
  | {readonly why: 'unreadable'; readonly path: string; readonly error: unknown};

/** Every payload that lies in the store, whether or not a record names it. */
export const storedPayloads = (
  layout: StoreLayout,
  odd?: (odd: Odd<Digest>) => void,
): AsyncGenerator<StoredFile<Digest>> => filesIn(layout.blobs, (name) => (isDigest(name) ? name : undefined), odd);

/** Every record file, whether or not it can be read. */
export const storedRecords = (layout: StoreLayout, odd?: (odd: Odd<Key>) => void): AsyncGenerator<StoredFile<Key>> =>
  filesIn(layout.keys, (name) => (isKey(name) ? name : undefined), odd);

/** What long stages left for their next attempt: a folder a key, with the bytes in it and when something in it last changed. */
export async function storedScratch({scratch}: StoreLayout): Promise<readonly StoredFile<Key>[]> {
  const found: StoredFile<Key>[] = [];
  for (const {name} of await entriesOf(scratch)) {
    if (!isKey(name)) continue;
    const path = join(scratch, name);
    const within = await entriesOf(path).catch(() => []);
    const statuses = await Promise.all(
      [path, ...within.map((entry) => join(path, entry.name))].map((each) => lstat(each).catch(() => undefined)),
    );
    const [folder, ...files] = statuses;
    if (!folder?.isDirectory()) continue;
    const bytes = files.reduce((sum, file) => sum + (file?.size ?? 0), 0);
    found.push({name, path, bytes, since: Math.max(...statuses.map((status) => status?.ctimeMs ?? 0))});
  }
  return found;
}

/** Logs of runs, by when something was last written to them; their names begin with a time. */
export async function storedLogs({runs}: StoreLayout): Promise<readonly StoredFile<string>[]> {
  const found: StoredFile<string>[] = [];
  for (const {name} of await entriesOf(runs)) {
    const path = join(runs, name);
    const status = /^\d.*\.jsonl$/.test(name) ? await lstat(path).catch(() => undefined) : undefined;
    if (status?.isFile()) found.push({name, path, bytes: status.size, since: status.mtimeMs});
  }
  return found;
}

/** @param odd Told of what is passed over; without it a folder that cannot be read is thrown for. */
async function* filesIn<Name>(
  root: string,
  named: (name: string) => Name | undefined,
  odd?: (odd: Odd<Name>) => void,
): AsyncGenerator<StoredFile<Name>> {
  const readable = async <T>(path: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined; // another process may have removed it since
      if (!odd || systemCode(error) === undefined) throw error;
      odd({why: 'unreadable', path, error});
      return undefined;
    }
  };
  const within = async (path: string): Promise<readonly Dirent[]> =>
    (await readable(path, () => entriesOf(path))) ?? [];
  for (const folder of await within(root)) {
    const inside = join(root, folder.name);
    if (folder.isSymbolicLink() && /^[0-9a-f]{2}$/.test(folder.name))
      odd?.({why: 'a link', path: inside, name: undefined});
    if (!folder.isDirectory()) continue;
    for (const entry of await within(inside)) {
      const name = named(entry.name.replace(/\.[a-z]+$/, ''));
      if (name === undefined) continue;
      const path = join(inside, entry.name);
      if (!entry.isFile()) {
        odd?.({why: entry.isSymbolicLink() ? 'a link' : 'no file', path, name});
        continue;
      }
      const status = await readable(path, () => lstat(path));
      if (status) yield {name, path, bytes: status.size, since: status.ctimeMs};
    }
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, {withFileTypes: true});
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
