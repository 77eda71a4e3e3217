import {z} from 'zod';
import {described, fieldOf} from '../../src/base/described.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {asError} from '../../src/base/thrown.ts';
import {UserError} from '../../src/base/user-error.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {thrownAt} from '../../src/stage/import-fault.ts';
import {schemaFaults} from './schema-faults.ts';

/** Name of a user's file, from the reference that stands for it. */
export const fileNameOf = (reference: string): string => reference.split(':').at(-1) ?? reference;

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

/** @throws StageError when a user's file declares something else than a schema of settings and these functions. */
export function checkDeclaration(declaration: unknown, functions: readonly string[]): void {
  const needs = `{doc, settings, ${functions.join(', ')}}`;
  if (typeof declaration !== 'object' || declaration === null)
    throw new StageError(`what it declares is ${described(declaration)}.`, `Declare ${needs}.`);
  const settings = fieldOf(declaration, 'settings');
  if (typeof fieldOf(settings, 'safeParse') !== 'function')
    throw new StageError(
      `its "settings" must be a zod schema, and is ${described(settings)}.`,
      'Write settings: z.strictObject({…}), with import {z} from "lossbasin".',
    );
  for (const name of functions) {
    const given = fieldOf(declaration, name);
    if (typeof given !== 'function')
      throw new StageError(`its "${name}" must be a function, and is ${described(given)}.`, `Declare ${needs}.`);
  }
}

const storedSchema = z.record(z.string(), z.json());

/**
 * The settings that a pipeline gives a user's file, defaults filled in, and as they stand in keys.
 *
 * @throws StageError when they are not what the file declares, or that cannot stand in a key.
 */
export function checkedSettings<S extends z.ZodType>(
  {settings, doc}: {readonly settings: S; readonly doc: string},
  given: JsonObject,
): {readonly settings: z.output<S>; readonly stored: JsonObject} {
  const parsed = parsedBy(settings, given);
  if (!parsed.success) throw new StageError(`its settings are not right: ${schemaFaults(parsed.error)}`, doc);
  const stored = storedSchema.safeParse(parsed.data);
  if (stored.success) return {settings: parsed.data, stored: stored.data};
  throw new StageError(
    `its schema makes of the settings what is no map of JSON values: ${schemaFaults(stored.error)}`,
    'Settings are a part of the key: have the schema give text, numbers, lists and maps, and make the rest of them where it is used.',
  );
}

function parsedBy<S extends z.ZodType>(settings: S, given: JsonObject): z.ZodSafeParseResult<z.output<S>> {
  try {
    return settings.safeParse(given);
  } catch (error) {
    if (!(error instanceof z.core.$ZodAsyncError)) throw error;
    throw new StageError('its schema of settings waits for a promise.', 'Check and transform settings without one.');
  }
}
