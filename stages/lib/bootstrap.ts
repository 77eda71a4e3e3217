import {philox4x32, STREAM} from './random/philox.ts';

/** How often and how surely: `replicates` resamples, of which the interval holds the middle fraction `confidence`. */
interface BootstrapSettings {
  readonly replicates: number;
  readonly confidence: number;
  readonly seed: number;
}

interface Estimate {
  /** Of the rows as they are. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Statistics of column means with percentile intervals (Efron 1979). `values` is [n, width] in C order; a replicate draws n rows
 * with replacement, all columns together, so that what is measured on the same pictures stays paired.
 *
 * @param statistics of the means [width], which the next replicate overwrites; an estimate for each number that it gives.
 * @param pause awaited after every replicate, so that a stop arrives.
 */
export async function bootstrap(
  values: Float64Array,
  width: number,
  {replicates, confidence, seed}: BootstrapSettings,
  statistics: (means: Float64Array) => readonly number[],
  pause: () => Promise<void>,
): Promise<readonly Estimate[]> {
  const rows = Uint32Array.from({length: values.length / width}, (_, row) => row);
  const means = new Float64Array(width);
  meansOfRows(values, rows, means);
  const own = [...statistics(means)];
  const resampled = own.map(() => new Float64Array(replicates));
  for (let replicate = 0; replicate < replicates; replicate++) {
    drawRows(rows, seed, replicate);
    meansOfRows(values, rows, means);
    const found = statistics(means);
    for (const [index, estimates] of resampled.entries()) estimates[replicate] = found[index] ?? Number.NaN;
    await pause();
  }
  return own.map((value, index) => {
    const sorted = resampled[index]?.sort() ?? new Float64Array();
    return {value, low: quantile(sorted, (1 - confidence) / 2), high: quantile(sorted, (1 + confidence) / 2)};
  });
}

/** Means over the given rows of values [n, means.length], summed in the rows' order. */
function meansOfRows(values: Float64Array, rows: Uint32Array, means: Float64Array): void {
  const width = means.length;
  means.fill(0);
  for (const row of rows) {
    const start = row * width;
    for (let column = 0; column < width; column++) {
      means[column] = (means[column] ?? 0) + (values[start + column] ?? 0);
    }
  }
  for (let column = 0; column < width; column++) means[column] = (means[column] ?? 0) / rows.length;
}

/** Fills `rows` with numbers below its length. One word each: the bias of length / 2^32 is far below what a bootstrap resolves. */
function drawRows(rows: Uint32Array, seed: number, replicate: number): void {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32)] as const;
  const block = new Uint32Array(4);
  for (let index = 0; index < rows.length; index++) {
    if ((index & 3) === 0) philox4x32(key, [index >>> 2, 0, replicate, STREAM.bootstrap], block);
    rows[index] = Math.floor(((block[index & 3] ?? 0) / 2 ** 32) * rows.length);
  }
}

/** Linear between the two values around it, as numpy's default (Hyndman & Fan 1996, type 7). */
function quantile(sorted: Float64Array, fraction: number): number {
  const place = fraction * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (place - Math.floor(place)) * (above - below);
}
