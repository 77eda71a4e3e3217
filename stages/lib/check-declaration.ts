import {described, fieldOf} from '../../src/base/described.ts';
import {StageError} from '../../src/stage/define-stage.ts';

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
