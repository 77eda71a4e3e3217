/** A number of JSON that is larger than any of 64 bits, which its readers take for infinity: JSON has no word for it. */
export const INFINITE = '1e999';

/** `Infinity`, as Python writes it, or what basin does. */
export const isInfinite = (token: string): boolean => /^-?(?:Infinity|1e999)$/.test(token);
