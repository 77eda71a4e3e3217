import {isJsonObject, type Json} from '../../../src/base/json.ts';

const LONGEST = 120;

/** A name out of a file as a message shows it: in quotes, escapes visible, a hostile length cut. */
export const quoted = (name: string): string =>
  JSON.stringify(name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name);

/** A value out of a file as a message shows it; what is large or deep is only named. */
export function shown(value: Json): string {
  if (typeof value === 'string') return quoted(value);
  if (isJsonObject(value)) return 'an object';
  return typeof value === 'object' && value !== null ? 'a list' : String(value);
}
