// Characters that mean something in the plain subset of YAML, and tables of what stands where.

const code = (character: string): number => character.charCodeAt(0);
export const NEWLINE = code('\n');
export const SPACE = code(' ');
export const HASH = code('#');
export const COLON = code(':');
export const COMMA = code(',');
export const DASH = code('-');
export const OPEN_MAP = code('{');
export const CLOSE_MAP = code('}');
export const OPEN_LIST = code('[');
export const CLOSE_LIST = code(']');
export const DOUBLE_QUOTE = code('"');
export const SINGLE_QUOTE = code("'");
export const BACKSLASH = code('\\');

const charactersOf = (text: string): Uint8Array => {
  const table = new Uint8Array(128);
  for (const character of text) table[code(character)] = 1;
  return table;
};
const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_';
export const KEY_START = charactersOf(LETTERS_AND_DIGITS);
export const KEY = charactersOf(`${LETTERS_AND_DIGITS}-.`);
export const SCALAR_START = charactersOf(`${LETTERS_AND_DIGITS}./$`);
/** Inside of unquoted text, where none of these has another meaning; a colon and a space have one at times. */
export const SCALAR = charactersOf(`${LETTERS_AND_DIGITS}./$-+*=<>()|@%!&^~;?`);
export const DIGIT = charactersOf('0123456789');
