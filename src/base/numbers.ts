/**
 * A computed number as a person would have written it: 15 significant digits, so that the third of eleven
 * points from 0 to 1 is 0.2 and not 0.30000000000000004's neighbour, and equals the literal in an edited list. A whole number
 * that a double holds exactly has no such neighbour, and stays.
 */
export const roundComputed = (value: number): number => {
  const rounded = Number.isSafeInteger(value) ? value : Number(value.toPrecision(15));
  return rounded === 0 ? 0 : rounded; // minus zero would print as 0 and compare as another value
};

/** Whole numbers of 64 bits are seeds and ids; above them are magnitudes, of which nobody means the last digit. */
const LARGEST_NAME = 2 ** 64;

/** Whether a computed number is a whole one beyond 2^53 - 1 that rounding would turn into another. */
export const isRoundedAway = (value: number): boolean =>
  Number.isInteger(value) && Math.abs(value) < LARGEST_NAME && roundComputed(value) !== value && value !== 0;

/**
 * Whether the number that JavaScript reads in a text is another whole number than the one written: `9007199254740993.0`,
 * `0x20000000000001`, `1e-400`. Fractions are the nearest double, as everywhere.
 */
export function losesDigits(text: string, value: number): boolean {
  if (!/^[-+]?[0-9]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?$/.test(text) || /^[-+]?[0-9]+$/.test(text))
    return !Number.isSafeInteger(value);
  if (!Number.isInteger(value)) return false;
  const written = decimal(text);
  return written !== decimal(String(value)) && written !== decimal(BigInt(value).toString());
}

/** One text for equal decimal numbers: digits without zeros at their ends, and the power of ten of the last. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^([-+]?)([0-9]*)\.?([0-9]*)(?:[eE]([-+]?[0-9]+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  if (kept === '') return '0';
  return `${sign === '-' ? '-' : ''}${kept}e${Number(power) - fraction.length + digits.length - kept.length}`;
}
