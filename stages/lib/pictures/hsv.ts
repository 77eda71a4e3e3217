/**
 * Pillow's conversion between RGB and HSV bytes (`rgb2hsv_row` and `hsv2rgb` in Convert.c), planes of `plane` bytes in, planes out.
 * Where C rounds a double to a float, Math.fround stands.
 */
export function toHsv(rgb: Uint8Array, plane: number): Uint8Array {
  const out = new Uint8Array(3 * plane);
  for (let pixel = 0; pixel < plane; pixel++) {
    const red = rgb[pixel] ?? 0;
    const green = rgb[plane + pixel] ?? 0;
    const blue = rgb[2 * plane + pixel] ?? 0;
    const most = Math.max(red, green, blue);
    const span = most - Math.min(red, green, blue);
    out[2 * plane + pixel] = most;
    if (span === 0) continue;
    const redPart = Math.fround((most - red) / span);
    const greenPart = Math.fround((most - green) / span);
    const bluePart = Math.fround((most - blue) / span);
    const sextant =
      red === most ? bluePart - greenPart : green === most ? 2 + redPart - bluePart : 4 + greenPart - redPart;
    const turn = Math.fround(sextant) / 6 + 1;
    out[pixel] = Math.trunc(Math.fround(turn >= 1 ? turn - 1 : turn) * 255);
    out[plane + pixel] = Math.trunc(Math.fround(span / most) * 255);
  }
  return out;
}

/** The way back. */
export function fromHsv(hsv: Uint8Array, plane: number): Uint8Array {
  const out = new Uint8Array(3 * plane);
  for (let pixel = 0; pixel < plane; pixel++) {
    const hue = hsv[pixel] ?? 0;
    const saturation = Math.fround((hsv[plane + pixel] ?? 0) / 255);
    const value = hsv[2 * plane + pixel] ?? 0;
    const place = (hue * 6) / 255;
    const sextant = Math.floor(place);
    const past = Math.fround(place - sextant);
    // positive, so that half away from zero is half up
    const low = Math.floor(value * (1 - saturation) + 0.5);
    const falling = Math.floor(value * (1 - Math.fround(saturation * past)) + 0.5);
    const rising = Math.floor(value * (1 - saturation * (1 - past)) + 0.5);
    const part = sextant % 6;
    out[pixel] = part === 0 || part === 5 ? value : part === 1 ? falling : part === 4 ? rising : low;
    out[plane + pixel] = part === 1 || part === 2 ? value : part === 3 ? falling : part === 0 ? rising : low;
    out[2 * plane + pixel] = part === 3 || part === 4 ? value : part === 5 ? falling : part === 2 ? rising : low;
  }
  return out;
}
