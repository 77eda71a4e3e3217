/** Keys' kernel parameter as torch has it; Pillow's is −0.5. */
const A = -0.75;

/** Where a line is read for one output: four neighbours, clamped to the border, and their weights. */
interface Tap {
  readonly from: readonly [number, number, number, number];
  readonly weight: readonly [number, number, number, number];
}

const near = (x: number): number => ((A + 2) * x - (A + 3)) * x * x + 1;
const far = (x: number): number => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;

function tapsOf(from: number, to: number): Tap[] {
  return Array.from({length: to}, (_, place) => {
    const source = ((place + 0.5) * from) / to - 0.5;
    const left = Math.floor(source);
    const t = source - left;
    const clamped = (index: number): number => Math.min(Math.max(index, 0), from - 1);
    return {
      from: [clamped(left - 1), clamped(left), clamped(left + 1), clamped(left + 2)],
      weight: [far(t + 1), near(t), near(1 - t), far(2 - t)],
    };
  });
}

/**
 * A square grid [from, from, channels] resampled to [to, to, channels] in float64, as torch's `interpolate(mode="bicubic",
 * align_corners=False)` without antialiasing: Keys' kernel with a = −0.75, the border repeated (docs/science/models.md).
 */
export function bicubic(grid: ArrayLike<number>, channels: number, from: number, to: number): Float64Array {
  const taps = tapsOf(from, to);
  const wide = new Float64Array(from * to * channels); // rows as they were, columns resampled
  const resampled = new Float64Array(to * to * channels);
  const mix = (source: ArrayLike<number>, {from: [a, b, c, d], weight}: Tap, stride: number, offset: number): number =>
    weight[0] * (source[a * stride + offset] ?? 0) +
    weight[1] * (source[b * stride + offset] ?? 0) +
    weight[2] * (source[c * stride + offset] ?? 0) +
    weight[3] * (source[d * stride + offset] ?? 0);
  for (let row = 0; row < from; row++) {
    taps.forEach((tap, column) => {
      for (let channel = 0; channel < channels; channel++) {
        wide[(row * to + column) * channels + channel] = mix(grid, tap, channels, row * from * channels + channel);
      }
    });
  }
  taps.forEach((tap, row) => {
    for (let place = 0; place < to * channels; place++) {
      resampled[row * to * channels + place] = mix(wide, tap, to * channels, place);
    }
  });
  return resampled;
}
