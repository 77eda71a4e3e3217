import canonicalize from 'canonicalize';
import type {Json} from './json.ts';

/**
 * The one string of a value (RFC 8785): keys by code unit, numbers as ECMAScript writes them, so that
 * `0.50` and `0.5`, and any order of keys, are the same text.
 *
 * @throws RangeError for NaN and infinities, which have no JSON text.
 */
export function canonicalJson(value: Json): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('Internal error: a value without JSON text reached a key');
  return text;
}
