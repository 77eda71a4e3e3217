import type {Diagnostic} from './diagnostic.ts';

/** What a user can get wrong is a value; what only we can get wrong is thrown. */
export type Result<T, E = readonly Diagnostic[]> =
  | {readonly ok: true; readonly value: T}
  | {readonly ok: false; readonly error: E};

export const ok = <T>(value: T): {readonly ok: true; readonly value: T} => ({ok: true, value});
export const fail = <E>(error: E): {readonly ok: false; readonly error: E} => ({ok: false, error});
