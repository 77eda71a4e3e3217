import {type BigIntStats, statSync} from 'node:fs';

/**
 * What tells a file apart from its earlier self without reading it: size, change times, inode. `ctime` is there because tools
 * that keep `mtime` (cp -p, rsync -t, tar) cannot set it.
 */
export const fileStamp = ({size, mtimeNs, ctimeNs, ino}: BigIntStats): string => `${size} ${mtimeNs} ${ctimeNs} ${ino}`;

export const statusOf = (path: string): BigIntStats => statSync(path, {bigint: true});

/**
 * A younger file may change and keep its stamp: within one tick of the clock, and by who has it mapped for writing. Of such a page the system notes
 * the first change only, until it is written to disk, by Linux after 30 to 35 seconds.
 */
const SETTLED_MILLISECONDS = 60_000;

/** Whether a change of outside data after this status would show in the next one. */
export const isSettled = ({ctimeMs}: BigIntStats, now: number): boolean => now - Number(ctimeMs) > SETTLED_MILLISECONDS;
