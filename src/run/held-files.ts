import {digestOfFile} from '../base/digested-files.ts';
import type {Stage} from '../stage/define-stage.ts';
import {checkPinned} from '../stage/pinned-files.ts';
import {fileStamp, isSettled, statusOf} from '../store/file-stamp.ts';
import type {Job} from './protocol.ts';

/** A file of outside data that was what the key says at this stamp; one without a stamp could change unseen. */
interface HeldFile {
  readonly path: string;
  readonly stamp: string | undefined;
}

/**
 * Outside data that a stage of the user's reads by itself, whole and looked at before it begins. Stages of ours compare what they read.
 *
 * @throws UserError when a file is not what the key says.
 */
export async function heldFiles({pinned}: Pick<Job, 'pinned'>, stage: Stage): Promise<readonly HeldFile[]> {
  if (stage.origin.from !== 'file') return [];
  const held: HeldFile[] = [];
  for (const path of new Set(pinned.flatMap(Object.keys))) {
    const status = statusOf(path);
    checkPinned(path, await digestOfFile(path));
    held.push({path, stamp: isSettled(status, Date.now()) ? fileStamp(status) : undefined});
  }
  return held;
}

/** @throws UserError when one changed since. */
export async function checkHeld(files: readonly HeldFile[]): Promise<void> {
  for (const {path, stamp} of files)
    if (stamp === undefined || fileStamp(statusOf(path)) !== stamp) checkPinned(path, await digestOfFile(path));
}
