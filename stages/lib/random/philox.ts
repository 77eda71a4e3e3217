/**
 * Philox4x32-10, the counter-based generator of Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
 * A draw is a pure function of key and counter, so noise belongs to (seed, epoch, sample, draw) and not to the order in
 * which it was asked for.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16); // below 2^33: exact in a double
  const carry = (middle % 0x10000) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Four unsigned 32-bit words written to `out` from `offset` on, for a 64-bit key and a 128-bit counter. */
export function philox4x32(
  key: readonly [number, number],
  counter: readonly [number, number, number, number],
  out: Uint32Array,
  offset = 0,
): void {
  let [k0, k1] = key;
  let [c0, c1, c2, c3] = counter;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0 >>> 0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2 >>> 0);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  out[offset] = c0;
  out[offset + 1] = c1;
  out[offset + 2] = c2;
  out[offset + 3] = c3;
}

/** Names of the streams, so that two uses of one seed never share numbers. Never renumber: results would change. */
export const STREAM = {
  order: 1,
  augment: 2,
  initialise: 3,
  head: 4,
  mask: 5,
  subset: 6,
  dropout: 7,
  bootstrap: 11,
  direction: 12,
  layers: 13,
  drop: 23,
  fisher: 24,
} as const;
export type Stream = keyof typeof STREAM;

/**
 * One word of (seed, stream, epoch, sample, draw). `seed` is a non-negative integer below 2^53, `sample` and `epoch`
 * below 2^32.
 */
export function draw(seed: number, stream: Stream, epoch: number, sample: number, index: number): number {
  const out = new Uint32Array(4);
  philox4x32([seed >>> 0, Math.floor(seed / 2 ** 32)], [index >>> 2, sample >>> 0, epoch >>> 0, STREAM[stream]], out);
  return out[index & 3] ?? 0;
}
