import {lstatSync, readdirSync} from 'node:fs';
import {systemCode} from './store-error.ts';

/**
 * Names of what lies in a folder; none where there is no folder. One that may not be looked into, or is on a disk that fails, is no empty one:
 * what its files name would be taken for nobody's. Nor is a link that leads nowhere.
 *
 * @throws what the system answered.
 */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const isNone = systemCode(error) === 'ENOENT' && lstatSync(folder, {throwIfNoEntry: false}) === undefined;
    if (!isNone) throw error;
    return [];
  }
}
