import {closeSync, openSync} from 'node:fs';
import {setTimeout as pause} from 'node:timers/promises';
import type {Key} from '../base/digest.ts';
import {lockByte} from './lock-byte.ts';
import {FILE_MODE} from './rights.ts';
import {storeError} from './store-error.ts';
import {storeLayout} from './store-layout.ts';

export interface LeaseOptions {
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
  /** Called once when somebody else has the lease. */
  waiting?(): void;
}

/**
 * Runs `work` while no other process on this store works under one of the keys. Kernel locks, each on one byte of one file that is opened once however
 * many they are, so that they are free the moment their holder dies, however it dies. Whoever had to wait should look for a record
 * before it computes. The holder keeps the lease until its result is published, else the next one computes it again. Keys are taken in one order by
 * everybody, so that none waits for another in a ring.
 *
 * Polls instead of blocking: a blocked lock cannot be aborted and would occupy one of Node's few I/O threads.
 */
export async function withLeases<T>(
  root: string,
  keys: readonly Key[],
  work: () => Promise<T>,
  options: LeaseOptions = {},
): Promise<T> {
  const file = openLeases(root);
  try {
    const bytes = [...new Set(keys.map(byteOf))].sort((a, b) => a - b);
    for (const byte of bytes) await take(file, byte, options);
    options.signal?.throwIfAborted();
    return await work();
  } finally {
    closeSync(file);
  }
}

async function take(file: number, byte: number, {signal, waiting}: LeaseOptions): Promise<void> {
  let wait = 5;
  // Where there are no locks two drivers may compute one key twice; the first record stays, so nothing is wrong but the time.
  while ((await lockByte(file, byte)) === 'busy') {
    if (wait === 5) waiting?.();
    await pause(wait, undefined, signal && {signal});
    wait = Math.min(250, wait * 2);
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
    return openSync(storeLayout(root).leases, 'a+', FILE_MODE);
  } catch (error) {
    throw storeError(error, 'take a lease in', root);
  }
}

/** 48 bits of the key: two keys that share them wait for each other and nothing worse. */
const byteOf = (key: Key): number => Number.parseInt(key.slice(0, 12), 16);
