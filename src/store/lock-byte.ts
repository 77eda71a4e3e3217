import {systemCode} from './store-error.ts';

/** What a network file system without locks answers. */
const NO_LOCKS: ReadonlySet<string | undefined> = new Set(['ENOLCK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Loaded with the first lock: a plan takes none. */
let native: Promise<typeof import('fs-native-extensions') | undefined> | undefined;

/**
 * Takes the kernel's lock on one byte of an open file; it is free again when the file is closed or the process dies. `impossible`
 * on file systems that have no locks, and on platforms for which the native module has no build.
 */
export async function lockByte(file: number, offset: number): Promise<'taken' | 'busy' | 'impossible'> {
  native ??= import('fs-native-extensions').catch(() => undefined);
  const locks = await native;
  if (locks === undefined) return 'impossible';
  try {
    return locks.tryLock(file, offset, 1) ? 'taken' : 'busy';
  } catch (error) {
    if (NO_LOCKS.has(systemCode(error))) return 'impossible';
    throw error;
  }
}
