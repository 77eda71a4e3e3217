/** Which weights stay, and the score at the edge (0 when all stay). */
export interface Selection {
  /** 1 where a weight stays. */
  readonly bits: Uint8Array;
  readonly kept: number;
  readonly threshold: number;
}

/** `exact` keeps round(N·r) weights; `released` is the rule of PLATON's published code. */
export type SelectionMethod = 'exact' | 'released';

/** Keeps the fraction `ratio` of the highest scores. */
export function select(method: SelectionMethod, scores: Float32Array, ratio: number): Selection {
  return method === 'exact' ? selectExactly(scores, Math.round(scores.length * ratio)) : selectReleased(scores, ratio);
}

/** Keeps exactly `keep` weights: the highest scores, and among equal ones at the edge those with the lowest index. */
export function selectExactly(scores: Float32Array, keep: number): Selection {
  const n = scores.length;
  if (keep >= n) return everything(n);
  if (keep <= 0) return {bits: new Uint8Array(n), kept: 0, threshold: kthSmallest(scores, n)};
  const threshold = kthSmallest(scores, n - keep + 1);
  const bits = new Uint8Array(n);
  let kept = 0;
  for (let index = 0; index < n; index++) {
    if ((scores[index] ?? 0) > threshold) {
      bits[index] = 1;
      kept++;
    }
  }
  for (let index = 0; index < n && kept < keep; index++) {
    if (scores[index] === threshold) {
      bits[index] = 1;
      kept++;
    }
  }
  return {bits, kept, threshold};
}

/**
 * What PLATON's code keeps: with k = trunc(N·(1 − r)), all that is not strictly below the k-th smallest score, hence N − k + 1
 * weights or, with ties, more. For k = 0, where that code fails, everything stays.
 */
export function selectReleased(scores: Float32Array, ratio: number): Selection {
  const k = Math.trunc(scores.length * (1 - ratio));
  if (k === 0) return everything(scores.length);
  const threshold = kthSmallest(scores, k);
  const bits = new Uint8Array(scores.length);
  let kept = 0;
  // by index here and below: iterators and callbacks take up to ten times as long, and networks are large
  for (let index = 0; index < scores.length; index++) {
    const bit = (scores[index] ?? 0) < threshold ? 0 : 1;
    bits[index] = bit;
    kept += bit;
  }
  return {bits, kept, threshold};
}

const everything = (n: number): Selection => ({bits: new Uint8Array(n).fill(1), kept: n, threshold: 0});

/** Bits of a float32 as an unsigned integer that sorts as the number does: a negative one's are inverted, of others the sign is set. */
const ordered = (word: number): number => (word >>> 31 === 1 ? ~word : word | SIGN) >>> 0;
const SIGN = 0x8000_0000;

/** The k-th smallest value, k from 1, in linear time: two counts over 16 bits each find it. No value is NaN. */
export function kthSmallest(values: Float32Array, k: number): number {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const high = new Uint32Array(65_536);
  for (let index = 0; index < words.length; index++) {
    const bucket = ordered(words[index] ?? 0) >>> 16;
    high[bucket] = (high[bucket] ?? 0) + 1;
  }
  const [upper, before] = bucketOf(high, k);
  const low = new Uint32Array(65_536);
  for (let index = 0; index < words.length; index++) {
    const place = ordered(words[index] ?? 0);
    if (place >>> 16 === upper) low[place & 0xffff] = (low[place & 0xffff] ?? 0) + 1;
  }
  const [lower] = bucketOf(low, k - before);
  const place = upper * 65_536 + lower;
  const [value = 0] = new Float32Array(Uint32Array.of(place >= SIGN ? place - SIGN : ~place).buffer);
  return value + 0; // never −0, which JSON would not give back
}

/** The bucket with the k-th item, and how many lie in the buckets before it. */
function bucketOf(counts: Uint32Array, k: number): [bucket: number, before: number] {
  let before = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] ?? 0;
    if (before + count >= k) return [bucket, before];
    before += count;
  }
  throw new Error(`Internal error: asked for value ${k} of ${before}`);
}
