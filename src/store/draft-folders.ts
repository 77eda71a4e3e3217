import {randomUUID} from 'node:crypto';
import {closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, rmdirSync, statSync} from 'node:fs';
import {mkdir, readdir, rename, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {diskNow} from './disk-clock.ts';
import {lockByte} from './lock-byte.ts';
import {removeFolder} from './remove-folder.ts';
import {FILE_MODE, FOLDER_MODE} from './rights.ts';
import {systemCode} from './store-error.ts';
import type {StoreLayout} from './store-layout.ts';

/** Held locked by the process whose drafts lie beside it, for as long as it lives. */
const ALIVE = 'alive';
/** How the draft of the store's FORMAT begins; it is of no use once there is one. */
export const FORMAT_DRAFT = 'format-';
/** And that of the memory of keys. */
export const REMEMBERED_DRAFT = 'remembered-';
const DRAFT_NAME = new RegExp(`^(\\d+-|${FORMAT_DRAFT}|${REMEMBERED_DRAFT})[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`);

/** Whether a name in `tmp/` is one that is given here: what is called otherwise is nobody's to remove. */
export const isDraftName = (name: string): boolean => DRAFT_NAME.test(name);

/** What lies here without that file may belong to a process that is just making it, unless it is this old. */
const BEING_MADE_MILLISECONDS = 3_600_000;
/** Where nothing can be locked, only age tells: no run makes no draft for a week. */
const LEFT_BEHIND_MILLISECONDS = 7 * 24 * 3_600_000;

const nameOfDrafts = (): string => `${process.pid}-${randomUUID()}`;

/** Where a process has its drafts. */
export interface DraftHome {
  readonly folder: string;
  /** Bits of who may read what this process makes: as its umask has it, or the folder's own list of rights, which goes before that. */
  readonly readers: number;
}

/** One process's part of `tmp/`. Its name carries the process id for people; what tells the dead is the lock. */
export class DraftFolders {
  readonly #tmp: string;
  #home: Promise<DraftHome & {readonly file: number}> | undefined;
  readonly #empty: string[] = [];
  #made = 0;

  constructor(tmp: string) {
    this.#tmp = tmp;
  }

  /** For drafts that need no folder of their own. */
  async home(): Promise<DraftHome> {
    for (;;) {
      this.#home ??= this.#make().catch((error: unknown) => {
        this.#home = undefined; // a disk that was full may have room the next time
        throw error;
      });
      const made = this.#home;
      const home = await made;
      if (existsSync(join(home.folder, ALIVE))) return home;
      // Somebody has emptied `tmp/`: what lies there without that file may be taken for a dead one's.
      if (this.#home !== made) continue;
      this.#home = undefined;
      this.#empty.length = 0;
      closeSync(home.file);
    }
  }

  async fresh(): Promise<string> {
    const {folder} = await this.home();
    const empty = this.#empty.pop();
    if (empty !== undefined) return empty;
    const fresh = join(folder, String(this.#made++));
    mkdirSync(fresh, {mode: FOLDER_MODE});
    return fresh;
  }

  /**
   * Removes a folder with all that is left in it, or keeps an empty one for the next: ext4 finds room for a new folder the slower, the more
   * were removed in the last seconds (`recently_deleted` in its ialloc.c).
   */
  async release(folder: string, isDone: boolean): Promise<void> {
    try {
      const isHere = dirname(folder) === (await this.#home)?.folder;
      if (isDone && isHere && isEmpty(folder)) this.#empty.push(folder);
      else await removeFolder(folder);
    } catch (error) {
      if (systemCode(error) === undefined) throw error; // else it goes with the rest when this process ends
    }
  }

  async #make(): Promise<DraftHome & {readonly file: number}> {
    for (;;) {
      const folder = join(this.#tmp, nameOfDrafts());
      await mkdir(folder, {recursive: true, mode: FOLDER_MODE});
      const path = join(folder, ALIVE);
      // Another process may take the folder for a dead one's before this one holds the lock: then start over.
      const file = openIfThere(path);
      if (file === undefined) continue;
      const state = await lockByte(file, 0);
      const {ino, mode} = fstatSync(file);
      if (state !== 'busy' && statSync(path, {throwIfNoEntry: false})?.ino === ino)
        return {folder, file, readers: mode & 0o444};
      closeSync(file);
    }
  }

  async close(): Promise<void> {
    const home = await this.#home;
    this.#home = undefined;
    this.#empty.length = 0;
    if (!home) return;
    try {
      await removeFolder(home.folder);
    } catch (error) {
      if (systemCode(error) === undefined) throw error; // else the next process takes it for a dead one's
    } finally {
      closeSync(home.file);
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'a+', FILE_MODE);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

/** Removes the drafts of processes that died. */
export async function cleanDrafts(layout: StoreLayout): Promise<void> {
  const names = await readdir(layout.tmp).catch(() => []);
  for (const name of names) if (isDraftName(name)) await removeIfDead(layout, name);
}

async function removeIfDead(layout: StoreLayout, name: string): Promise<void> {
  const folder = join(layout.tmp, name);
  const remove = () => removeOf(layout, folder);
  if (name.startsWith(FORMAT_DRAFT) && existsSync(layout.format)) return remove();
  let file: number;
  try {
    file = openSync(join(folder, ALIVE), 'r+');
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && removedEmpty(folder)) return; // who is just making it finds out, and makes another
    if (systemCode(error) !== 'EACCES' && (await isOlder(layout, folder, BEING_MADE_MILLISECONDS))) await remove();
    return;
  }
  try {
    const state = await lockByte(file, 0);
    // Still locked while all is removed: a process that is just making this folder finds its lock taken or its file unlinked.
    if (state === 'taken' || (state === 'impossible' && (await isOlder(layout, folder, LEFT_BEHIND_MILLISECONDS))))
      await remove();
  } finally {
    closeSync(file);
  }
}

/** Out of the way first: a worker of the dead that has not heard of it goes on writing where its folder was, and would leave what nobody removes. */
async function removeOf({tmp}: StoreLayout, folder: string): Promise<void> {
  const aside = join(tmp, nameOfDrafts());
  const moved = await rename(folder, aside).then(
    () => aside,
    () => folder,
  );
  await removeFolder(moved, {maxRetries: 5, retryDelay: 20}).catch(() => undefined);
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false; // gone, or without rights
  }
}

function removedEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

async function isOlder(layout: StoreLayout, path: string, milliseconds: number): Promise<boolean> {
  const changed = await stat(path).then(
    ({mtimeMs}) => mtimeMs,
    () => undefined,
  );
  return changed !== undefined && diskNow(layout) - changed > milliseconds;
}
