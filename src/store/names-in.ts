import {readdirSync} from 'node:fs';
import {systemCode} from './store-error.ts';

/** Names of what lies in a folder; none where there is no folder, or none that may be looked into. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}
