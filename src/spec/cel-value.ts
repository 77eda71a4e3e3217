import type {Json} from '../base/json.ts';
import {isRoundedAway, roundComputed} from '../base/numbers.ts';
import {fail, ok, type Result} from '../base/result.ts';
import {badExpression, type ExpressionFault} from './expression-fault.ts';

const LARGEST_TEXT = 1_000_000;
const MOST_VALUES = 100_000;

/** Maps, so that no name of the user's meets a property of JavaScript's objects. */
export function celOfJson(value: Json): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(celOfJson);
  return new Map(Object.entries(value).map(([name, item]): [string, unknown] => [name, celOfJson(item)]));
}

/** What an expression gives, within bounds; numbers that were `computed` are rounded. */
export function jsonOfCel(result: unknown, text: string, computed = true): Result<Json, ExpressionFault> {
  let left = MOST_VALUES;
  let problem: string | undefined;
  const convert = (value: unknown): Json => {
    left -= 1;
    if (left < 0) problem = 'The expression gives too many values.';
    if (problem !== undefined || value === null || typeof value === 'boolean')
      return typeof value === 'boolean' ? value : null;
    if (typeof value === 'string') {
      if (value.length > LARGEST_TEXT) problem = 'The expression gives too long a text.';
      if (!value.isWellFormed()) problem = 'The expression gives a text that holds half of a character.';
      return value;
    }
    if (typeof value === 'number' || typeof value === 'bigint') {
      const number = Number(value);
      if (!computed) return number;
      if (!Number.isFinite(number)) problem = `The expression gives ${number}, which is not a finite number.`;
      else if (isRoundedAway(number) || (typeof value === 'bigint' && BigInt(number) !== value))
        problem = `The expression gives ${value}, a whole number above 2^53 - 1 that would lose digits.`;
      return roundComputed(number);
    }
    if (Array.isArray(value)) return value.map(convert);
    const entries = value instanceof Map ? [...value] : isPlain(value) ? Object.entries(value) : undefined;
    if (entries === undefined) {
      problem = 'The expression gives what no parameter can hold.';
      return null;
    }
    if (entries.some(([name]) => typeof name !== 'string' || name === '__proto__' || !name.isWellFormed())) {
      problem = 'The expression gives a map with a key that is not a usable name.';
      return null;
    }
    return Object.fromEntries(entries.map(([name, item]): [string, Json] => [String(name), convert(item)]));
  };
  const json = convert(result);
  return problem === undefined ? ok(json) : fail(badExpression(text, problem, undefined, HINT));
}

const HINT = 'Look at what the expression is given: its params, and the axes of this node.';

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && [null, Object.prototype].includes(Object.getPrototypeOf(value));
