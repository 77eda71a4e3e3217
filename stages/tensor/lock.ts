import {mkdirSync} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname} from 'node:path';
import {StageError} from '../../src/stage/define-stage.ts';

const require = createRequire(import.meta.url);
// The package brings no types.
const locks: {tryLock(fd: number): boolean; waitForLock(fd: number): Promise<void>; unlock(fd: number): void} =
  require('fs-native-extensions');

async function openForWriting(path: string): Promise<FileHandle> {
  try {
    mkdirSync(dirname(path), {recursive: true});
    return await open(path, 'a+');
  } catch (error) {
    throw new StageError(
      `The cache folder cannot be written to (${error instanceof Error ? error.message : error}).`,
      'Make it writable, or name another one in XDG_CACHE_HOME.',
    );
  }
}

/**
 * Runs `work` while no other process holds the lock on a file. The kernel frees it when its holder ends, however that is.
 *
 * @throws StageError when the file cannot be made.
 */
export async function whileHolding<T>(path: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  const file = await openForWriting(path);
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
