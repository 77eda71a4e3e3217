/** Above this |cosine| of the angle the two are as good as on one line, and the straight line is taken. */
const STRAIGHT = 0.9995;
/** A norm up to this counts as 1. */
const SMALLEST_NORM = 1e-8;

function norm(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  const length = Math.sqrt(sum);
  return length > SMALLEST_NORM ? length : 1;
}

/**
 * Spherical interpolation of two tensors as vectors, in float64: their directions turn evenly with t, and their lengths are kept as they are. t = 0
 * gives a and t = 1 gives b, bit for bit. Vectors of one direction, opposite ones and zeros are interpolated linearly, as in
 * mergekit's `slerp.py`.
 */
export function slerp(a: Float32Array, b: Float32Array, t: number): Float32Array {
  if (t === 0) return a.slice();
  if (t === 1) return b.slice();
  const [lengthA, lengthB] = [norm(a), norm(b)];
  let dot = 0;
  for (let index = 0; index < a.length; index++) dot += ((a[index] ?? 0) / lengthA) * ((b[index] ?? 0) / lengthB);
  const straight = Math.abs(dot) > STRAIGHT;
  const angle = straight ? 0 : Math.acos(dot);
  const ofA = straight ? 1 - t : Math.sin((1 - t) * angle) / Math.sin(angle);
  const ofB = straight ? t : Math.sin(t * angle) / Math.sin(angle);
  return a.map((value, index) => ofA * value + ofB * (b[index] ?? 0));
}
