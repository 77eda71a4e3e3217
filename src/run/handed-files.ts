import {accessSync, closeSync, constants, existsSync, fstatSync, linkSync, openSync, unlinkSync} from 'node:fs';
import {basename, join} from 'node:path';
import type {Digest} from '../base/digest.ts';
import {digestOfFile} from '../base/digested-files.ts';
import {StageError} from '../stage/define-stage.ts';
import {copyIfCheap} from '../stage/place-file.ts';
import {fileStamp, statusOf} from '../store/file-stamp.ts';
import {stateOfBlob} from '../store/read-blob.ts';
import {storeError, systemCode} from '../store/store-error.ts';
import {blobPath} from '../store/store-layout.ts';
import {DamagedInputs} from './damaged-inputs.ts';
import {makeDraftFolder} from './draft-folder.ts';
import type {Job} from './protocol.ts';

/** How the names of payloads begin that lie in an instance's folder and are none of its outputs. */
export const HANDED = 'handed-';

interface HandedFile {
  /** Of the input. */
  readonly name: string;
  readonly path: string;
  readonly stamp: string;
  /** Of one that has no name but the store's; while it is open, no other file can come to have its inode. */
  readonly open: number | undefined;
}

/**
 * Payloads that a stage is handed as files. Each has a second name in the instance's own folder, under which it is there to the end whatever becomes
 * of the first: `gc` may remove that, and another driver put a file in its place. A stage may write to them where rights do not hinder it (as root).
 */
export class HandedFiles {
  readonly #job: Pick<Job, 'store' | 'driver'>;
  readonly #store: string;
  readonly #folder: string;
  readonly #files = new Map<Digest, HandedFile>();

  constructor(job: Pick<Job, 'store' | 'driver' | 'points'>) {
    this.#job = job;
    this.#store = job.store;
    this.#folder = job.points[0]?.drafts ?? '';
  }

  /** The path of a payload for an input; nothing when it is missing or damaged. */
  async hand(name: string, digest: Digest): Promise<string | undefined> {
    const known = this.#files.get(digest);
    if (known) return known.path;
    const blob = blobPath(this.#store, digest);
    try {
      if (this.#files.size === 0) makeDraftFolder(this.#folder, this.#job);
      const path = await this.#secondName(blob);
      const stamp = stampOf(path);
      this.#files.set(digest, {name, path, stamp, open: path === blob ? openSync(blob, 'r') : undefined});
      return (await stateOfBlob(this.#store, digest, path)) === 'whole' ? path : undefined;
    } catch (error) {
      if (systemCode(error) === 'ENOENT' && !existsSync(blob)) return undefined;
      throw storeError(error, 'read', this.#store);
    }
  }

  /** A link; a copy where the file is somebody else's or there are no links; the store's own where it is too large for that. */
  async #secondName(blob: string): Promise<string> {
    const path = join(this.#folder, `${HANDED}${basename(blob)}`);
    try {
      linkSync(blob, path);
      return path;
    } catch (error) {
      if (systemCode(error) === undefined || systemCode(error) === 'ENOENT') throw error;
    }
    try {
      return (await copyIfCheap(blob, path)) ? path : blob;
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return blob; // it is read from there, or why not is told
    }
  }

  /** What was removed or replaced in the store and had no other name: nobody knows what of it was read, nor whether it was there at all. */
  replaced(): readonly Digest[] {
    return [...this.#files].flatMap(([digest, {path, open}]) =>
      open !== undefined && inodeAt(path) !== fstatSync(open, {bigint: true}).ino ? [digest] : [],
    );
  }

  /**
   * To be called before a result is taken: what was made of other bytes than the digest says is of no known content.
   *
   * @throws DamagedInputs of what was replaced, StageError when a file was changed or taken away.
   */
  async check(): Promise<void> {
    const replaced = this.replaced();
    if (replaced.length > 0) throw new DamagedInputs(replaced);
    for (const [digest, {name, path, stamp}] of this.#files) {
      if (inodeAt(path) === undefined)
        throw new StageError(
          `Its input "${name}" was taken away from where it was handed over, by it or by what ran beside it.`,
          'Have whatever moves or removes it do so with a copy, and run this again.',
        );
      if (stampOf(path) === stamp || (await digestOfFile(path)) === digest) continue;
      throw new StageError(
        // Several may be handed it at once, and the file does not say who wrote.
        `Its input "${name}" was changed where it lies in the store, by it or by what ran beside it, and is damaged.`,
        'Have whatever changes it change a copy. It is computed again when it is next needed: run this again.',
      );
    }
  }

  /** Takes the second names away, with the bytes that have none left. */
  close(): void {
    for (const {path, open} of this.#files.values()) {
      if (open !== undefined) closeSync(open);
      else removeName(path);
    }
  }
}

/** `ctime` would tell also of who wrote and set `mtime` back, but moves with every link that comes or goes: it counts only for who may write. */
function stampOf(path: string): string {
  const status = statusOf(path);
  return mayWrite(path) ? fileStamp(status) : `${status.size} ${status.mtimeNs}`;
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

function inodeAt(path: string): bigint | undefined {
  try {
    return statusOf(path).ino;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

function removeName(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error; // it goes with its folder
  }
}
