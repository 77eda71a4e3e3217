import {type BigIntStats, statSync} from 'node:fs';
import {RACY_MILLISECONDS} from './sync-index.ts';

/**
 * What tells a file apart from its earlier self without reading it: size, change times, inode. `ctime` is there because tools
 * that keep `mtime` (cp -p, rsync -t, tar) cannot set it.
 */
export const fileStamp = ({size, mtimeNs, ctimeNs, ino}: BigIntStats): string => `${size} ${mtimeNs} ${ctimeNs} ${ino}`;

export const statusOf = (path: string): BigIntStats => statSync(path, {bigint: true});

/** Whether a change after this status would show in the next one; a young file could change within one tick of the clock. */
export const isSettled = ({ctimeMs}: BigIntStats, now: number): boolean => now - Number(ctimeMs) > RACY_MILLISECONDS;
