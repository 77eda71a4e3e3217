/** The generator of golden.json: x ← 1664525 x + 1013904223 mod 2³², values 2 (x / 2³² − ½) between −1 and 1. */
export function lcg(seed: number, shape: readonly number[]): number[] {
  let x = seed;
  const count = shape.reduce((product, side) => product * side, 1);
  return Array.from({length: count}, () => {
    x = (Math.imul(1664525, x) + 1013904223) >>> 0;
    return (x / 2 ** 32 - 0.5) * 2;
  });
}
