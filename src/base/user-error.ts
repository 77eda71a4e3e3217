/**
 * Something the user can mend, thrown where a value cannot be returned: shown as a message and a hint, without a stack.
 * What is thrown and is not one of these is a bug of ours.
 */
export class UserError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.hint = hint;
  }
}
