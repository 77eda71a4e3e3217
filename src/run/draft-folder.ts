import {mkdirSync} from 'node:fs';
import {FOLDER_MODE} from '../store/rights.ts';
import {storeError} from '../store/store-error.ts';
import type {Job} from './protocol.ts';

/**
 * Makes a folder for drafts, with those around it, since somebody may have emptied `tmp/`.
 *
 * @throws where the driver was killed: the next one has removed what was its, and nobody would remove that again.
 */
export function makeDraftFolder(folder: string, {driver, store}: Pick<Job, 'driver' | 'store'>): void {
  if (process.ppid !== driver) throw new Error('Internal error: the driver of this worker is gone');
  try {
    mkdirSync(folder, {recursive: true, mode: FOLDER_MODE});
  } catch (error) {
    throw storeError(error, 'write to', store);
  }
}
