import {UserError} from '../../src/base/user-error.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {thrownAt} from '../../src/stage/import-fault.ts';

/** Name of a user's file, from the reference that stands for it. */
export const fileNameOf = (reference: string): string => reference.split(':').at(-1) ?? reference;

/** What code of the user's threw, told with its place in the file and without a stack of ours. */
export function userFault(name: string, error: unknown): StageError {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof UserError && error.hint !== undefined ? error.hint : `Mend ${name}.`;
  return new StageError(`${thrownAt(error) || `${name}: `}${message}`, hint, {cause: error});
}

/** Runs code of the user's. @throws StageError for whatever it throws. */
export function ofUser<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw userFault(name, error);
  }
}
