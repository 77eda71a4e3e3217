/** What YAML's core schema takes for something else than text. */
const SPECIAL =
  /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$/;
const DECIMAL = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;
/** Any more digits could be lost in a double, which is a fault to report. */
const MOST_LENGTH = 15;

/**
 * The value of unquoted text, by the core schema of YAML 1.2; undefined for what is rarely written and left to the YAML package: other
 * bases, infinities, what is too small for a double, numbers without a digit on one side of the point, and long ones.
 */
export function plainScalar(text: string): null | boolean | number | string | undefined {
  if (!SPECIAL.test(text)) return text;
  switch (text) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
      return null;
  }
  if (text.length > MOST_LENGTH || !DECIMAL.test(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || (value === 0 && /^[^eE]*[1-9]/.test(text))) return undefined;
  return value === 0 ? 0 : value; // as readTree has it: -0 is written nowhere
}
