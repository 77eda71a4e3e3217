import type {SourceText} from '../base/diagnostic.ts';
import {
  BACKSLASH,
  CLOSE_LIST,
  CLOSE_MAP,
  COLON,
  COMMA,
  DASH,
  DIGIT,
  DOUBLE_QUOTE,
  HASH,
  KEY,
  KEY_START,
  NEWLINE,
  OPEN_LIST,
  OPEN_MAP,
  SCALAR,
  SCALAR_START,
  SINGLE_QUOTE,
  SPACE,
} from './plain-characters.ts';
import {plainScalar} from './plain-scalar.ts';
import type {Entry, Place, Tree} from './tree.ts';

/** A text is not of the subset that is read here. */
class NotPlain extends Error {}

const DEEPEST = 20;
const LONGEST_KEY = 200;

/**
 * The tree of a text that is written in the plain subset of YAML in which pipelines are mostly written, and is without fault; else
 * undefined, and the YAML package reads it. What is read here is read twenty times faster, and equal to the last position.
 *
 * The subset: block maps and lists, maps and lists in brackets, keys and unquoted text of ASCII, quotes without escapes, comments.
 */
export function readPlainYaml(source: SourceText): Tree | undefined {
  try {
    return new Reader(source).document();
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}

class Reader {
  readonly #source: SourceText;
  readonly #text: string;
  #at = 0;
  /** Of the first character of the line that is next, after blank lines and comments. */
  #column = 0;
  #depth = 0;
  /** Where the line of the last value ends, its line break included. */
  #lineEnd = 0;
  /** The widest indentation of the comments before the line that is next; -1 without any. */
  #commentColumn = -1;

  constructor(source: SourceText) {
    this.#source = source;
    this.#text = source.text;
  }

  document(): Tree {
    this.#nextLine();
    if (this.#column !== 0 || this.#ended) throw new NotPlain();
    const tree = this.#blockMap(0);
    if (!this.#ended) throw new NotPlain();
    return tree;
  }

  get #ended(): boolean {
    return this.#at >= this.#text.length;
  }

  #place(start: number, end: number): Place {
    return {source: this.#source, span: {start, end}};
  }

  /** From a line's start to the next line with something on it. */
  #nextLine(): void {
    this.#commentColumn = -1;
    for (;;) {
      const start = this.#at;
      this.#skipSpaces();
      this.#column = this.#at - start;
      if (this.#ended) return;
      const next = this.#text.charCodeAt(this.#at);
      if (next === HASH) {
        this.#commentColumn = Math.max(this.#commentColumn, this.#column);
        this.#skipComment();
      } else if (next !== NEWLINE) return;
      this.#at += 1;
    }
  }

  #skipSpaces(): void {
    while (this.#text.charCodeAt(this.#at) === SPACE) this.#at += 1;
  }

  #skipComment(): void {
    for (; !this.#ended; this.#at += 1) {
      const next = this.#text.charCodeAt(this.#at);
      if (next === NEWLINE) return;
      if (next < SPACE) throw new NotPlain();
    }
  }

  /** Past the rest of a line that may only hold a comment, and on to the next. */
  #endLine(): void {
    const start = this.#at;
    this.#skipSpaces();
    if (this.#at > start && this.#text.charCodeAt(this.#at) === HASH) this.#skipComment();
    if (!this.#ended && this.#text.charCodeAt(this.#at) !== NEWLINE) throw new NotPlain();
    this.#at += 1;
    this.#lineEnd = Math.min(this.#at, this.#text.length);
    this.#nextLine();
  }

  #deeper(): void {
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw new NotPlain();
  }

  /** Whether a block goes on at its column; what is between is no part of it. */
  #goesOn(column: number): boolean {
    if (!this.#ended && this.#column === column) return true;
    // The package counts a comment that is indented like a block to the block, unless it goes on.
    if (this.#column > column || this.#commentColumn >= column) throw new NotPlain();
    return false;
  }

  #blockMap(column: number): Tree {
    this.#deeper();
    const start = this.#at;
    const entries = new Map<string, Entry>();
    do {
      const keyStart = this.#at;
      const name = this.#key(entries);
      const keyAt = this.#place(keyStart, keyStart + name.length);
      entries.set(name, {name, keyAt, value: this.#blockValue(column)});
    } while (this.#goesOn(column));
    this.#depth -= 1;
    return {kind: 'map', entries, at: this.#place(start, this.#lineEnd)};
  }

  #blockList(column: number): Tree {
    this.#deeper();
    const start = this.#at;
    const items: Tree[] = [];
    do {
      if (this.#text.charCodeAt(this.#at) !== DASH || this.#text.charCodeAt(this.#at + 1) !== SPACE)
        throw new NotPlain();
      const dash = this.#at;
      this.#at += 1;
      this.#skipSpaces();
      items.push(this.#beginsMap() ? this.#blockMap(column + this.#at - dash) : this.#lineValue());
    } while (this.#goesOn(column));
    this.#depth -= 1;
    return {kind: 'list', items, at: this.#place(start, this.#lineEnd)};
  }

  #beginsMap(): boolean {
    let end = this.#at;
    while (KEY[this.#text.charCodeAt(end)] === 1) end += 1;
    return this.#text.charCodeAt(end) === COLON;
  }

  /** What follows a key of a block, up to the line that is next. */
  #blockValue(column: number): Tree {
    const afterColon = this.#at;
    this.#skipSpaces();
    const next = this.#text.charCodeAt(this.#at);
    if (this.#ended || next === NEWLINE || next === HASH) {
      this.#at = afterColon;
      this.#endLine();
      if (this.#ended || this.#column <= column) throw new NotPlain();
      return this.#text.charCodeAt(this.#at) === DASH ? this.#blockList(this.#column) : this.#blockMap(this.#column);
    }
    return this.#lineValue();
  }

  #lineValue(): Tree {
    const value = this.#value();
    this.#endLine();
    return value;
  }

  /** A key and its colon; it must be followed by a space or the end of its line. */
  #key(known: ReadonlyMap<string, Entry>): string {
    const start = this.#at;
    if (KEY_START[this.#text.charCodeAt(start)] !== 1) throw new NotPlain();
    let end = start + 1;
    while (KEY[this.#text.charCodeAt(end)] === 1) end += 1;
    const name = this.#text.slice(start, end);
    const after = this.#text.charCodeAt(end + 1);
    const isKey =
      this.#text.charCodeAt(end) === COLON && (after === SPACE || after === NEWLINE || end + 1 === this.#text.length);
    if (!isKey || name.length > LONGEST_KEY || known.has(name) || name === '__proto__' || /^null$/i.test(name))
      throw new NotPlain();
    this.#at = end + 1;
    return name;
  }

  #value(): Tree {
    const next = this.#text.charCodeAt(this.#at);
    switch (next) {
      case OPEN_MAP:
        return this.#flowMap();
      case OPEN_LIST:
        return this.#flowList();
      case DOUBLE_QUOTE:
      case SINGLE_QUOTE:
        return this.#quoted(next);
      default:
        return this.#unquoted();
    }
  }

  #flowMap(): Tree {
    this.#deeper();
    const start = this.#at++;
    const entries = new Map<string, Entry>();
    this.#skipSpaces();
    while (this.#text.charCodeAt(this.#at) !== CLOSE_MAP) {
      const keyStart = this.#at;
      const name = this.#key(entries);
      this.#skipSpaces();
      const value = this.#value();
      entries.set(name, {name, keyAt: this.#place(keyStart, keyStart + name.length), value});
      this.#separator(CLOSE_MAP);
    }
    this.#at += 1;
    this.#depth -= 1;
    return {kind: 'map', entries, at: this.#place(start, this.#at)};
  }

  #flowList(): Tree {
    this.#deeper();
    const start = this.#at++;
    const items: Tree[] = [];
    this.#skipSpaces();
    while (this.#text.charCodeAt(this.#at) !== CLOSE_LIST) {
      items.push(this.#value());
      this.#separator(CLOSE_LIST);
    }
    this.#at += 1;
    this.#depth -= 1;
    return {kind: 'list', items, at: this.#place(start, this.#at)};
  }

  /** A comma and something after it, or the closing bracket, which stays. */
  #separator(close: number): void {
    this.#skipSpaces();
    const next = this.#text.charCodeAt(this.#at);
    if (next === close) return;
    if (next !== COMMA) throw new NotPlain();
    this.#at += 1;
    if (this.#text.charCodeAt(this.#at) !== SPACE) throw new NotPlain();
    this.#skipSpaces();
    if (this.#text.charCodeAt(this.#at) === close) throw new NotPlain();
  }

  #quoted(quote: number): Tree {
    const start = this.#at;
    for (let end = start + 1; ; end += 1) {
      const next = this.#text.charCodeAt(end);
      if (next === quote) {
        this.#at = end + 1;
        // Two quotes are one inside of quotes, and a colon after them makes a key.
        const after = this.#text.charCodeAt(this.#at);
        if (after === quote || after === COLON) throw new NotPlain();
        return {kind: 'scalar', value: this.#text.slice(start + 1, end), at: this.#place(start, end + 1)};
      }
      // Not a number at the end of the text, which no comparison is true of but this one.
      if (!(next >= SPACE && next < 127) || next === BACKSLASH) throw new NotPlain();
    }
  }

  #unquoted(): Tree {
    const start = this.#at;
    const first = this.#text.charCodeAt(start);
    if (SCALAR_START[first] !== 1 && !(first === DASH && DIGIT[this.#text.charCodeAt(start + 1)] === 1))
      throw new NotPlain();
    let end = start + 1;
    while (this.#staysInScalar(end)) end += 1;
    this.#at = end;
    while (this.#text.charCodeAt(end - 1) === SPACE) end -= 1;
    const value = plainScalar(this.#text.slice(start, end));
    if (value === undefined) throw new NotPlain();
    return {kind: 'scalar', value, at: this.#place(start, end)};
  }

  #staysInScalar(at: number): boolean {
    const next = this.#text.charCodeAt(at);
    if (SCALAR[next] === 1) return true;
    const after = this.#text.charCodeAt(at + 1);
    if (next === SPACE) return after === SPACE || SCALAR[after] === 1;
    return next === COLON && SCALAR[after] === 1;
  }
}
