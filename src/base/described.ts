import {inspect} from 'node:util';

/** A field of what code of others gave, whose type may be a lie. */
export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

/** Longer texts are told without what they say. */
const LONGEST_TEXT = 40;

/** What a value is, in words for who gave it where something else was expected: `nothing`, `1.5`, `a Float32Array`. */
export function described(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing';
    case 'string':
      return value.length > LONGEST_TEXT ? 'a long text' : `the text ${JSON.stringify(value)}`;
    case 'function':
      return 'a function';
    case 'bigint':
      return 'a BigInt';
    case 'object':
      return value === null ? 'null' : objectInWords(value);
    default:
      return inspect(value);
  }
}

function objectInWords(value: object): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Promise) return 'a promise';
  const made: unknown = Reflect.get(value, 'constructor');
  const name = typeof made === 'function' ? made.name : '';
  if (name === '' || name === 'Object') return 'a map';
  return `${/^(?!Uint)[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}
