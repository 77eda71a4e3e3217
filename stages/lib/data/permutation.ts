import {draw, type Stream} from '../random/philox.ts';

/**
 * An integer in [0, n), from 53 random bits, so that its bias stays below n / 2^53. Uses draws `index` and `index + 1`.
 */
export function drawInteger(
  n: number,
  seed: number,
  stream: Stream,
  epoch: number,
  sample: number,
  index: number,
): number {
  const high = draw(seed, stream, epoch, sample, index) >>> 5; // 27 bits
  const low = draw(seed, stream, epoch, sample, index + 1) >>> 6; // 26 bits
  return Math.floor(((high * 2 ** 26 + low) / 2 ** 53) * n);
}

/**
 * The first `count` places of a random permutation of 0 … n−1 (Fisher–Yates, front to back), all of it by default. Place i depends
 * only on (seed, stream, epoch) and the places before it, so a shorter one is a prefix of a longer one.
 */
export function permutation(n: number, seed: number, stream: Stream, epoch: number, count = n): Uint32Array {
  const order = Uint32Array.from({length: n}, (_, index) => index);
  for (let place = 0; place < Math.min(count, n - 1); place++) {
    const other = place + drawInteger(n - place, seed, stream, epoch, place, 0);
    const moved = order[place] ?? 0;
    order[place] = order[other] ?? 0;
    order[other] = moved;
  }
  return order.subarray(0, count);
}
