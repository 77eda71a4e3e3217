/** A set-up that cannot go on for a reason the user can mend: two sentences, no stack. */
export class SetupFailure extends Error {
  constructor(message, hint, exitCode = 1) {
    super(message);
    this.hint = hint;
    this.exitCode = exitCode;
  }
}
