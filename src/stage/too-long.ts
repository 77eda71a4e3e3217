import {UserError} from '../base/user-error.ts';

/** Of one argument or variable: Linux has 32 pages for it, with the 0 at its end. */
const LONGEST = 32 * 4096 - 1;
const HINT = 'Put it into a file, and hand over its path: "files", or an output of another node.';

/** Why the system did not take the arguments and variables of a program. */
export function tooLong(program: string, given: readonly string[], env: Readonly<Record<string, string>>): UserError {
  const all = [
    ...given.map((text, index) => ({what: `Argument ${index + 1} of ${program}`, bytes: Buffer.byteLength(text)})),
    ...Object.entries(env).map(([name, text]) => ({
      what: `The variable ${name} of ${program}`,
      bytes: Buffer.byteLength(`${name}=${text}`),
    })),
  ];
  const longest = all.find(({bytes}) => bytes > LONGEST);
  if (longest && process.platform === 'linux')
    return new UserError(`${longest.what} is ${longest.bytes} bytes long; the system takes at most ${LONGEST}.`, HINT);
  const sum = all.reduce((total, {bytes}) => total + bytes, 0);
  return new UserError(
    `The arguments and variables of ${program} are ${sum} bytes together, which is more than the system takes.`,
    HINT,
  );
}
