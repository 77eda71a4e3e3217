import type {Span} from '../base/diagnostic.ts';
import {REFERENCE_MARK} from '../stage/command-parameters.ts';
import type {Place} from './tree.ts';

/** Where a part of a scalar's text was written; the whole value where the text is not what stands there. */
export function placeWithin(at: Place, text: string, {start, end}: Span): Place {
  const {source, span} = at;
  const written = source.text.slice(span.start, span.end);
  const value = text.replaceAll(REFERENCE_MARK, '$');
  const quotes = written.startsWith('"') || written.startsWith("'") ? 1 : 0;
  if (written.slice(quotes, written.length - quotes) === value) {
    const from = span.start + quotes;
    return {source, span: {start: from + start, end: from + Math.max(end, start + 1)}};
  }
  const found = alignmentOf(at, written, value);
  if (!found) return at;
  const {before, starts, ends} = found;
  const first = before[start] ?? starts.length;
  const from = span.start + (starts[first] ?? ends.at(-1) ?? 0);
  const to = span.start + (ends[(before[end] ?? starts.length) - 1] ?? 0);
  return {source, span: {start: from, end: Math.max(to, from + 1)}};
}

/** How a text and what stands for it in a file go together. YAML folds and strips white space only, so that the rest is in both. */
interface Alignment {
  /** For each character of the text, and its end: how many stand before it that are no white space. */
  readonly before: Int32Array;
  /** Where each of these starts and ends in what is written. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** A sweep can meet a fault at every point. */
const known = new WeakMap<Place, Alignment>();

const isWhite = (character: string): boolean => /^[ \t\r\n]$/.test(character);

function alignmentOf(at: Place, written: string, value: string): Alignment | undefined {
  const found = known.get(at);
  if (found) return found;
  const characters = charactersOf(written);
  const before = new Int32Array(value.length + 1);
  let count = 0;
  for (let index = 0; index < value.length; index += 1) {
    before[index] = count;
    if (isWhite(value.charAt(index))) continue;
    if (characters[count]?.is !== value[index]) return undefined;
    count += 1;
  }
  before[value.length] = count;
  const alignment = {before, starts: characters.map(({start}) => start), ends: characters.map(({end}) => end)};
  known.set(at, alignment);
  return alignment;
}

interface Written extends Span {
  /** A UTF-16 code unit. */
  readonly is: string;
}

/** What a scalar's text says, but for white space. */
function charactersOf(written: string): readonly Written[] {
  const style = written.charAt(0);
  const isQuoted = style === '"' || style === "'";
  // the first line of a block holds no text
  const from = style === '|' || style === '>' ? written.indexOf('\n') + 1 : isQuoted ? 1 : 0;
  const characters: Written[] = [];
  for (let start = from, end = from; start < written.length - (isQuoted ? 1 : 0); start = end) {
    const [is, length] =
      style === '"' && written[start] === '\\'
        ? escaped(written, start)
        : ([written.charAt(start), style === "'" && written[start] === "'" ? 2 : 1] as const);
    end = start + length;
    for (const unit of is.split('')) if (!isWhite(unit)) characters.push({is: unit, start, end});
  }
  return characters;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};
const DIGITS: Readonly<Record<string, number>> = {x: 2, u: 4, U: 8};

/** What an escape in double quotes stands for, and its length. */
function escaped(written: string, at: number): readonly [string, number] {
  const letter = written.charAt(at + 1);
  const digits = DIGITS[letter];
  if (digits === undefined) return [ESCAPES[letter] ?? letter, 2];
  const code = Number.parseInt(written.slice(at + 2, at + 2 + digits), 16);
  return [code <= 0x10ffff ? String.fromCodePoint(code) : '', 2 + digits];
}
