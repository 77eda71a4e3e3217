import {AsyncLocalStorage} from 'node:async_hooks';
import {existsSync} from 'node:fs';
import {dirname, sep} from 'node:path';
import {type Digest, digestOf} from '../base/digest.ts';
import {readDigested} from '../base/digested-files.ts';
import {UserError} from '../base/user-error.ts';

/** Files of outside data by absolute path, with the digests that stand for them in keys. */
export type PinnedFiles = Readonly<Record<string, Digest>>;

/** Of the job that reads; nothing where outside data is read for no key. */
const jobs = new AsyncLocalStorage<ReadonlyMap<string, Digest>>();

/** Does a job, in which whatever is read of outside data has to be what it was when these digests were made. */
export const withPinned = <T>(files: readonly PinnedFiles[], work: () => Promise<T>): Promise<T> =>
  jobs.run(new Map(files.flatMap((some) => Object.entries(some))), work);

/** Whether a digest of what is read would be looked at. */
export const isPinned = (): boolean => jobs.getStore() !== undefined;

/** A file of outside data, whole. @throws UserError when it is not what the key says. */
export async function readPinned(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const {bytes, digest} = await readDigested(path);
  checkPinned(path, digest);
  return bytes;
}

/** @throws UserError when a file of outside data that was read is not what the key says. */
export function checkPinned(path: string, digest: Digest): void {
  const pinned = jobs.getStore();
  if (pinned === undefined || pinned.get(path) === digest) return;
  if (!pinned.has(path)) throw came(path);
  throw new UserError(`The file ${path} changed while the pipeline ran.`, 'Run it again.');
}

/** @throws UserError when the files below a folder, of which these are there now, are not those of the key. */
export function checkPinnedNames(folder: string, paths: readonly string[]): void {
  const pinned = jobs.getStore();
  if (pinned === undefined) return;
  const there = new Set(paths);
  for (const path of there) if (!pinned.has(path)) throw came(path);
  // Another parameter may name other files of this folder.
  for (const path of pinned.keys())
    if (path.startsWith(`${folder}${sep}`) && !there.has(path) && !existsSync(path)) throw gone(path);
}

/** @throws UserError when a file that is not there now is in the key. */
export function checkAbsent(path: string): void {
  if (jobs.getStore()?.has(path)) throw gone(path);
}

/** What these files are in the key, in short. */
export function pinnedState(paths: readonly string[]): string {
  const pinned = jobs.getStore();
  return pinned === undefined ? '' : digestOf(paths.map((path) => pinned.get(path)).join());
}

const came = (path: string): UserError =>
  new UserError(`The file ${path} came while the pipeline ran, and is in no key.`, 'Run it again.');
const gone = (path: string): UserError =>
  new UserError(
    `The file ${path} was removed while the pipeline ran.`,
    `Put it back into ${dirname(path)}, or run it again without it.`,
  );
