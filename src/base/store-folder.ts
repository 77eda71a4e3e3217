import {existsSync} from 'node:fs';
import {join} from 'node:path';

/** A few of the names that only a cache of basin's has beside each other. */
const MARKS = ['FORMAT', 'keys', 'blobs', 'runs'] as const;

/** Whether a folder is a cache of basin's: every run changes it, so that it is nobody's data. */
export const isStoreFolder = (folder: string): boolean => MARKS.every((name) => existsSync(join(folder, name)));
