import {syncBuiltinESMExports} from 'node:module';
import {relative} from 'node:path';
import {ImportError, NotWhileLoading, namesUsersFile} from './import-error.ts';

type Exit = typeof process.exit;

/** Paths of the user's files that this process has loaded, but for what they import. */
const loaded = new Set<string>();
/** What ends this process when nothing is loaded, and how many files are. */
let [exitBefore, loading]: [Exit, number] = [process.exit, 0];

/** The user's files that this process has loaded, as a person knows them. */
export const loadedFiles = (): readonly string[] => [...loaded].map(shown);

/** Whether what runs here can have been set by the user's code. */
export const hasLoadedFiles = (): boolean => loaded.size > 0;

const shown = (path: string): string => relative(process.cwd(), path) || path;

/**
 * Loads a user's file, whose top level is code that runs here.
 *
 * @throws when it would end this process, or waits for what cannot come: nothing is left that could bring it.
 */
export async function whileLoading<T>(path: string, load: () => Promise<T>): Promise<T> {
  loaded.add(path);
  const {promise: stuck, reject} = Promise.withResolvers<never>();
  const onIdle = (): void => {
    const message = `${shown(path)} cannot be loaded: an await at the top of it, or of what it imports, never ends.`;
    reject(new ImportError(message, path, {text: 'await', start: 0}, 'Wait in "run" for what a stage needs.'));
  };
  process.on('beforeExit', onIdle);
  if (loading++ === 0) {
    exitBefore = process.exit;
    replaceExit(refuseExit);
  }
  try {
    return await Promise.race([load(), stuck]);
  } finally {
    process.off('beforeExit', onIdle);
    if (--loading === 0) replaceExit(exitBefore);
  }
}

/** Puts another `process.exit` in the place of the one there is, also for who imports it by name. */
export function replaceExit(exit: Exit): void {
  process.exit = exit;
  syncBuiltinESMExports();
}

/** Ends the process for everybody but the user's files. */
const refuseExit: Exit = (code) => {
  const error = new NotWhileLoading(
    'Here process.exit ends basin, and not the file.',
    'Leave it out: what a file does that is no declaration belongs in "run", which may throw.',
  );
  Error.captureStackTrace(error, refuseExit);
  if (namesUsersFile(error.stack)) throw error;
  return exitBefore(code);
};
