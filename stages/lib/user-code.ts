import type {z} from 'zod';
import type {JsonObject} from '../../src/base/json.ts';
import {asError} from '../../src/base/thrown.ts';
import {UserError} from '../../src/base/user-error.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {thrownAt} from '../../src/stage/import-fault.ts';
import {nameOfModule} from '../../src/stage/module-reference.ts';
import {schemaFaults} from './schema-faults.ts';

/** Name of a user's file, from the reference that stands for it. */
export const fileNameOf = (reference: string): string => nameOfModule(reference) ?? reference;

/** What code of the user's threw, told with its place in the file and without a stack of ours. */
export function userFault(name: string, thrown: unknown): StageError {
  const error = asError(thrown);
  const hint = error instanceof UserError && error.hint !== undefined ? error.hint : `Mend ${name}.`;
  return new StageError(`${thrownAt(error) || `${name}: `}${error.message}`, hint, {cause: error});
}

/** Frames of TensorFlow.js and ours may lie between a line of the user's and what it calls that throws; V8 notes ten. */
const FRAMES = 50;

/** Runs code of the user's. @throws StageError for whatever it throws. */
export function ofUser<T>(name: string, run: () => T): T {
  const {stackTraceLimit} = Error;
  Error.stackTraceLimit = FRAMES;
  try {
    return run();
  } catch (error) {
    throw userFault(name, error);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The settings that a pipeline gives a user's file, defaults filled in. @throws StageError when they are not what the file declares. */
export function checkedSettings<S extends z.ZodType>(
  {settings, doc}: {readonly settings: S; readonly doc: string},
  given: JsonObject,
): z.output<S> {
  const parsed = settings.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new StageError(`its settings are not right: ${schemaFaults(parsed.error)}`, doc);
}
