import type {z} from 'zod';
import type {JsonObject} from '../../src/base/json.ts';
import {asError} from '../../src/base/thrown.ts';
import {UserError} from '../../src/base/user-error.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {thrownAt} from '../../src/stage/import-fault.ts';
import {nameOfModule} from '../../src/stage/module-reference.ts';
import {checkedBy} from '../../src/stage/schema-output.ts';
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

/** The settings that a pipeline gives a user's file, as its schema gives them. @throws StageError when they are not what the file declares. */
export function checkedSettings(
  {settings, doc}: {readonly settings: z.ZodType; readonly doc: string},
  given: JsonObject,
): JsonObject {
  const checked = checkedBy(settings, given);
  switch (checked.state) {
    case 'good':
      return checked.output;
    case 'bad-values':
      throw new StageError(`its settings are not right: ${schemaFaults(checked.error)}`, doc);
    case 'bad-schema': {
      const [first] = checked.faults;
      const told = checked.faults.map(
        ({path, message}) =>
          `${path.length === 0 ? 'its settings' : `its setting ${path.map(String).join('.')}`}${message}`,
      );
      throw new StageError(told.join(' '), first?.hint);
    }
  }
}
