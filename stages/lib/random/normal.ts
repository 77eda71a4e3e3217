import {philox4x32, STREAM, type Stream} from './philox.ts';

/**
 * Random numbers that every engine and processor makes alike: only + − × ÷ √, which IEEE 754 rounds exactly, are used.
 * `Math.log`, `Math.sin` and `Math.cos` are left to the engine by ECMAScript, and V8 has changed them before.
 */

const SQRT_HALF = Math.SQRT1_2;
const words = new DataView(new ArrayBuffer(8));

/** Natural logarithm of a normal positive double; below 2 ulp from the true value. */
function logarithm(x: number): number {
  words.setFloat64(0, x);
  let exponent = (words.getUint32(0) >>> 20) - 1022;
  words.setUint32(0, (words.getUint32(0) & 0x000fffff) | 0x3fe00000);
  let mantissa = words.getFloat64(0); // in [1/2, 1)
  if (mantissa < SQRT_HALF) {
    mantissa *= 2;
    exponent -= 1;
  }
  // ln m = 2 artanh((m - 1) / (m + 1)), and |s| < 0.172 makes twelve terms enough
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let series = 0;
  for (let term = 23; term >= 1; term -= 2) series = series * square + 1 / term;
  return exponent * Math.LN2 + 2 * s * series;
}

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);

/** Wichura 1988, Algorithm AS 241, routine PPND16: coefficients of its three ranges, lowest power first. */
const CENTRE_ABOVE = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227,
];
const CENTRE_BELOW = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
  5226.495278852546,
];
const MIDDLE_ABOVE = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414,
];
const MIDDLE_BELOW = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const TAIL_ABOVE = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
];
const TAIL_BELOW = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
  1.421511758316446e-7, 2.0442631033899397e-15,
];

/** The standard normal's quantile of a probability inside (0, 1); relative error about 1e-16 (AS 241). */
export function normalQuantile(probability: number): number {
  const q = probability - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTRE_ABOVE, r)) / polynomial(CENTRE_BELOW, r);
  }
  const r = Math.sqrt(-logarithm(q < 0 ? probability : 1 - probability));
  const size =
    r <= 5
      ? polynomial(MIDDLE_ABOVE, r - 1.6) / polynomial(MIDDLE_BELOW, r - 1.6)
      : polynomial(TAIL_ABOVE, r - 5) / polynomial(TAIL_BELOW, r - 5);
  return q < 0 ? -size : size;
}

export interface DrawPlace {
  /** Non-negative integer below 2^53. */
  readonly seed: number;
  readonly stream: Stream;
  /** Each below 2^32; the `epoch` and `sample` of philox.ts's `draw`. */
  readonly epoch: number;
  readonly sample: number;
}

/** Fills `values` from the middles of 2^32 equal cells of (0, 1): value i comes of word i of `draw(…, i)`. */
function fillFrom(values: Float32Array, place: DrawPlace, law: (probability: number) => number): void {
  const key = [place.seed >>> 0, Math.floor(place.seed / 2 ** 32)] as const;
  const block = new Uint32Array(4);
  for (let index = 0; index < values.length; index++) {
    if ((index & 3) === 0) {
      philox4x32(key, [index >>> 2, place.sample >>> 0, place.epoch >>> 0, STREAM[place.stream]], block);
    }
    values[index] = law(((block[index & 3] ?? 0) + 0.5) / 2 ** 32);
  }
}

/** Fills `values` with normal(0, deviation), made in float64 and rounded to float32; none lies beyond 6.4 deviations. */
export function fillNormal(values: Float32Array, place: DrawPlace, deviation: number): void {
  fillFrom(values, place, (probability) => deviation * normalQuantile(probability));
}

/** Fills `values` with uniform(-bound, bound), made in float64 and rounded to float32. */
export function fillUniform(values: Float32Array, place: DrawPlace, bound: number): void {
  fillFrom(values, place, (probability) => bound * (2 * probability - 1));
}
