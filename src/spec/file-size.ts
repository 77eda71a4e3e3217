import type {Diagnostic} from '../base/diagnostic.ts';

/** Bytes of the largest pipeline or params file that is read. */
export const LARGEST_FILE = 5_000_000;

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The fault of a file that is not read for its size. */
export const tooLarge = (name: string, bytes: number) =>
  ({
    code: 'too-large',
    message: `${name} is ${megabytes(bytes)} large.`,
    hint: `basin reads files of up to ${megabytes(LARGEST_FILE)}; big data belongs into files that stages read.`,
  }) satisfies Diagnostic;
