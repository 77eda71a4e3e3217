import {mkdirSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname} from 'node:path';

const require = createRequire(import.meta.url);
// The package brings no types.
const locks: {tryLock(fd: number): boolean; waitForLock(fd: number): Promise<void>; unlock(fd: number): void} =
  require('fs-native-extensions');

/** Runs `work` while no other process holds the lock on a file. The kernel frees it when its holder ends, however that is. */
export async function whileHolding<T>(path: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), {recursive: true});
  const file = await open(path, 'a+');
  try {
    if (!locks.tryLock(file.fd)) {
      onWait();
      await locks.waitForLock(file.fd);
    }
    try {
      return await work();
    } finally {
      locks.unlock(file.fd);
    }
  } finally {
    await file.close();
  }
}
