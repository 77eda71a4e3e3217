import {closeSync} from 'node:fs';
import type {Key} from '../base/digest.ts';
import {lockByte} from './lock-byte.ts';
import {openToAdd} from './own-file.ts';
import {storeError} from './store-error.ts';
import {storeLayout} from './store-layout.ts';

/**
 * Runs `work` while no other process on this store works under one of the keys; `busy`, at once, when one does. Kernel locks, each on one byte of one
 * file that is opened once however many they are, so that they are free the moment their holder dies, however it dies. Whoever found them busy should
 * look for a record before it computes. The holder keeps the lease until its result is published, else the next one computes it again. Keys are taken
 * in one order by everybody, so that of two who want the same ones gets them.
 */
export async function tryLeases<T>(root: string, keys: readonly Key[], work: () => Promise<T>): Promise<T | 'busy'> {
  const file = openLeases(root);
  try {
    const bytes = [...new Set(keys.map(byteOf))].sort((a, b) => a - b);
    // Where there are no locks two drivers may compute one key twice; the first record stays, so nothing is wrong but the time.
    for (const byte of bytes) if ((await lockByte(file, byte)) === 'busy') return 'busy';
    return await work();
  } finally {
    closeSync(file);
  }
}

/**
 * Does work if nobody works under the key, and nobody may meanwhile; false when somebody does, and where there are no locks, so that nobody
 * can tell.
 */
export async function whenUnused(root: string, key: Key, work: () => Promise<void>): Promise<boolean> {
  const file = openLeases(root);
  try {
    if ((await lockByte(file, byteOf(key))) !== 'taken') return false;
    await work();
    return true;
  } finally {
    closeSync(file);
  }
}

function openLeases(root: string): number {
  try {
    return openToAdd(storeLayout(root).leases);
  } catch (error) {
    throw storeError(error, 'take a lease in', root);
  }
}

/** 48 bits of the key: two keys that share them wait for each other and nothing worse. */
const byteOf = (key: Key): number => Number.parseInt(key.slice(0, 12), 16);
