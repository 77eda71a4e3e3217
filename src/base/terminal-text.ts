import {eastAsianWidth} from 'get-east-asian-width';

/** What a terminal obeys, but line ends and tabs; and what is not seen and yet changes a text: spaces of no width, turns of direction. */
const UNSEEN = /[^\P{Cc}\n\t]|[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
/** One or more of the same: a program may write millions. */
const ALIKE = new RegExp(`(${UNSEEN.source})\\1*`, 'gu');

/** Whether a text has what a terminal would obey, or nobody would see. */
export const hasUnseen = (text: string): boolean => UNSEEN.test(text);

/** A text with what a terminal would obey, or nobody would see, written as `\x07` or `\u200b`. */
export const visible = (text: string): string =>
  text.replace(ALIKE, (alike, character: string) => {
    const code = character.charCodeAt(0).toString(16);
    return (code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code}`).repeat(alike.length);
  });

const ONE_COLUMN_EACH = /^[\x20-\x7e]*$/;
/** Marks that lie on the character before, and what is not shown. */
const NO_COLUMN = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns that a line without escapes takes in a terminal: two for `字`, none for an accent of its own (Unicode annex 11). */
export function textWidth(text: string): number {
  if (ONE_COLUMN_EACH.test(text)) return text.length;
  let columns = 0;
  for (const character of text)
    if (!NO_COLUMN.test(character)) columns += eastAsianWidth(character.codePointAt(0) ?? 0);
  return columns;
}

/** What makes a text as wide as that, to be put before or behind it. */
export const padding = (text: string, columns: number): string => ' '.repeat(Math.max(0, columns - textWidth(text)));

/** As much of the start of a text as takes at most so many columns. */
export function fittingStart(text: string, columns: number): string {
  let taken = 0;
  let end = 0;
  for (const character of text) {
    taken += textWidth(character);
    if (taken > columns) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** As much of the end of a text as takes at most so many columns. */
export function fittingEnd(text: string, columns: number): string {
  let [start, left] = [0, textWidth(text)];
  for (const character of text) {
    if (left <= columns) break;
    left -= textWidth(character);
    start += character.length;
  }
  return text.slice(start);
}
