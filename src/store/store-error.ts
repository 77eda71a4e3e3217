import {UserError} from '../base/user-error.ts';

export type StoreErrorCode =
  | 'store-is-a-file'
  | 'store-is-a-link'
  | 'store-format'
  | 'store-foreign'
  | 'store-no-rights'
  | 'store-full'
  | 'store-read-only'
  | 'store-failed';

/** Something about the cache folder that its user can mend. */
export class StoreError extends UserError {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, hint, options);
    this.code = code;
  }
}

export const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** What the system answered, unlike the codes of Node itself and of SQLite. */
export const isSystemError = (error: unknown): boolean => /^E[A-Z0-9]+$/.test(systemCode(error) ?? '');

/** In a few words, beside the name of the file. */
export function whyNotRead(error: unknown): string {
  const code = systemCode(error);
  if (code === 'EACCES' || code === 'EPERM') return 'no permission';
  return error instanceof Error ? error.message : String(code);
}

const ANOTHER_CACHE = 'Name another folder with --cache DIR or BASIN_CACHE.';
const OTHER_CACHE = ANOTHER_CACHE.replace('Name', 'Or name');

/** Of the file that an error of the system is about. */
export const pathOf = (error: unknown): string | undefined =>
  error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : undefined;
const FULL_CODES: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT'];

/** With the file that did not fit; `dest` where one was copied there. */
type FullDiskError = Error & {readonly path?: string; readonly dest?: string};

export const isFullDisk = (error: unknown): error is FullDiskError => FULL_CODES.includes(systemCode(error));

/** What the system answered while `doing` (as in "write a result to"), as the user reads it; a bug of ours stays as it is. */
export function storeError(error: unknown, doing: string, root: string): unknown {
  const code = systemCode(error);
  if (error instanceof UserError || code === undefined || !isSystemError(error)) return error;
  const what = `Cannot ${doing} the cache at ${root}`;
  const options = {cause: error};
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return new StoreError(
        'store-no-rights',
        `${what}: no permission.`,
        `Make it yours with chown or chmod. ${OTHER_CACHE}`,
        options,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new StoreError(
        'store-full',
        `${what}: the disk is full.`,
        `Free some space on its disk; the next run goes on from what is stored. ${OTHER_CACHE}`,
        options,
      );
    case 'EMFILE':
    case 'ENFILE':
      return new StoreError(
        'store-failed',
        `${what}: too many files are open.`,
        'Raise the limit (ulimit -n), or run less at once: --jobs 1.',
        options,
      );
    case 'EROFS':
      return new StoreError('store-read-only', `${what}: the file system is read-only.`, ANOTHER_CACHE, options);
    case 'ENOTDIR':
    case 'EEXIST':
      return new StoreError(
        'store-is-a-file',
        `${what}: something on that path is a file, not a folder.`,
        `Move it away. ${OTHER_CACHE}`,
        options,
      );
    case 'ELOOP':
      return new StoreError(
        'store-is-a-link',
        `${what}: ${pathOf(error) ?? 'something in it'} is a link, which is not followed.`,
        `Remove the link. ${OTHER_CACHE}`,
        options,
      );
    default:
      return new StoreError(
        'store-failed',
        `${what}: ${error instanceof Error ? error.message : code}.`,
        `Check the disk it is on. ${OTHER_CACHE}`,
        options,
      );
  }
}

export async function asStoreError<T>(doing: string, root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeError(error, doing, root);
  }
}
