import {described, fieldOf} from '../base/described.ts';
import {UserError} from '../base/user-error.ts';

const OPTIONAL_FUNCTIONS = ['runMany', 'checkUpstream', 'foresee'] as const;

/** No compiler may have seen a user's file, and what calls these hides what they are. @throws UserError for what is no function. */
export function checkFunctions(declaration: object): void {
  const check = (name: string, value: unknown): void => {
    if (typeof value === 'function') return;
    throw new UserError(
      `The stage's "${name}" must be a function, and is ${described(value)}.`,
      'See "Adding your own stage" in the recipes.',
    );
  };
  check('run', fieldOf(declaration, 'run'));
  for (const name of OPTIONAL_FUNCTIONS) {
    const value = fieldOf(declaration, name);
    if (value !== undefined) check(name, value);
  }
  for (const [parameter, resolver] of Object.entries(fieldOf(declaration, 'sources') ?? {}))
    check(`sources.${parameter}`, resolver);
}
