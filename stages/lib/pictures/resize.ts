/** Pillow's fixed point: weights carry 22 fractional bits, so that 255 · 2^22 fits an int32. */
const PRECISION = 22;

/** For each output place, the input places it sees and their fixed-point weights. */
interface Kernel {
  readonly from: Int32Array;
  readonly count: Int32Array;
  readonly weights: readonly Int32Array[];
}

const kernels = new Map<string, Kernel>();

/** Pillow's `precompute_coeffs` for BILINEAR: a triangle as wide as the scale when shrinking (science §5.4). */
function bilinearKernel(input: number, output: number): Kernel {
  const name = `${input} ${output}`;
  const known = kernels.get(name);
  if (known) return known;
  const scale = input / output;
  const support = Math.max(scale, 1);
  const from = new Int32Array(output);
  const count = new Int32Array(output);
  const weights: Int32Array[] = [];
  for (let place = 0; place < output; place++) {
    const center = (place + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const high = Math.min(input, Math.trunc(center + support + 0.5));
    const raw = Array.from({length: high - low}, (_, tap) =>
      Math.max(0, 1 - Math.abs((tap + low - center + 0.5) / support)),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    from[place] = low;
    count[place] = high - low;
    weights.push(Int32Array.from(raw, (weight) => Math.trunc((weight / sum) * 2 ** PRECISION + 0.5)));
  }
  const kernel = {from, count, weights};
  kernels.set(name, kernel);
  return kernel;
}

const clip = (sum: number): number => Math.max(0, Math.min(sum >> PRECISION, 255));

/**
 * Resizes CHW bytes as Pillow's `Image.resize(…, BILINEAR)` does, byte for byte: first along rows, then along columns, with
 * bytes in between, antialiased when shrinking. An axis that keeps its size is left alone.
 */
export function resizeBilinear(
  picture: Uint8Array,
  channels: number,
  height: number,
  width: number,
  outHeight: number,
  outWidth: number,
): Uint8Array {
  const rows = width === outWidth ? picture : resizeRows(picture, channels * height, width, outWidth);
  return height === outHeight ? rows : resizeColumns(rows, channels, height, outWidth, outHeight);
}

function resizeRows(input: Uint8Array, rows: number, width: number, outWidth: number): Uint8Array {
  const {from, count, weights} = bilinearKernel(width, outWidth);
  const out = new Uint8Array(rows * outWidth);
  for (let x = 0; x < outWidth; x++) {
    const taps = weights[x] ?? new Int32Array(0);
    const start = from[x] ?? 0;
    const n = count[x] ?? 0;
    for (let row = 0; row < rows; row++) {
      let sum = 1 << (PRECISION - 1);
      const base = row * width + start;
      for (let tap = 0; tap < n; tap++) sum += (taps[tap] ?? 0) * (input[base + tap] ?? 0);
      out[row * outWidth + x] = clip(sum);
    }
  }
  return out;
}

function resizeColumns(
  input: Uint8Array,
  channels: number,
  height: number,
  width: number,
  outHeight: number,
): Uint8Array {
  const {from, count, weights} = bilinearKernel(height, outHeight);
  const out = new Uint8Array(channels * outHeight * width);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < outHeight; y++) {
      const taps = weights[y] ?? new Int32Array(0);
      const n = count[y] ?? 0;
      const base = (channel * height + (from[y] ?? 0)) * width;
      const to = (channel * outHeight + y) * width;
      for (let x = 0; x < width; x++) {
        let sum = 1 << (PRECISION - 1);
        for (let tap = 0; tap < n; tap++) sum += (taps[tap] ?? 0) * (input[base + tap * width + x] ?? 0);
        out[to + x] = clip(sum);
      }
    }
  }
  return out;
}
