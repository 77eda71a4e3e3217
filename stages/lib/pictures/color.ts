import {fromHsv, toHsv} from './hsv.ts';
import type {Picture} from './picture.ts';

/**
 * Torchvision's `adjust_…` on Pillow pictures, byte for byte (Pillow's ImageEnhance, Blend.c and Convert.c). A picture has three
 * channels, red, green and blue, or one. Without colour, saturation and hue leave it as it is, as torchvision does with mode L.
 */

const grey = (red: number, green: number, blue: number): number =>
  (19_595 * red + 38_470 * green + 7_471 * blue + 32_768) >> 16;

/** Levels of Pillow's mode L: ITU-R 601-2 luma in 16 fractional bits; a one-channel picture is its own. */
export function luma({channels, height, width, values}: Picture): Uint8Array {
  if (channels === 1) return values;
  const plane = height * width;
  const out = new Uint8Array(plane);
  for (let pixel = 0; pixel < plane; pixel++) {
    out[pixel] = grey(values[pixel] ?? 0, values[plane + pixel] ?? 0, values[2 * plane + pixel] ?? 0);
  }
  return out;
}

/** Pillow's `Image.blend` of one level: float32 at each step, clipped, then cut to a whole number; `factor` is a float32. */
function blend(from: number, to: number, factor: number): number {
  const value = Math.fround(from + Math.fround(factor * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

/** Blends with one level everywhere: black for brightness, the mean for contrast. */
function blendWithLevel(picture: Picture, level: number, factor: number): Picture {
  const single = Math.fround(factor);
  const table = new Uint8Array(256);
  for (let to = 0; to < 256; to++) table[to] = blend(level, to, single);
  const values = new Uint8Array(picture.values.length);
  for (let place = 0; place < values.length; place++) values[place] = table[picture.values[place] ?? 0] ?? 0;
  return {...picture, values};
}

/** 0 gives black, 1 the picture. */
export const adjustBrightness = (picture: Picture, factor: number): Picture => blendWithLevel(picture, 0, factor);

/** 0 gives the rounded mean of `luma` everywhere, 1 the picture. */
export function adjustContrast(picture: Picture, factor: number): Picture {
  const levels = luma(picture);
  let sum = 0;
  for (const level of levels) sum += level;
  return blendWithLevel(picture, Math.floor(sum / levels.length + 0.5), factor);
}

/** 0 gives `luma` in all channels, 1 the picture. */
export function adjustSaturation(picture: Picture, factor: number): Picture {
  if (picture.channels === 1) return picture;
  const levels = luma(picture);
  const single = Math.fround(factor);
  const plane = levels.length;
  const values = new Uint8Array(picture.values.length);
  for (let start = 0; start < values.length; start += plane) {
    for (let pixel = 0; pixel < plane; pixel++) {
      values[start + pixel] = blend(levels[pixel] ?? 0, picture.values[start + pixel] ?? 0, single);
    }
  }
  return {...picture, values};
}

/** Turns hues by `factor` of the circle, −0.5 to 0.5, in steps of 1/256; 0 still goes through bytes of HSV and back. */
export function adjustHue(picture: Picture, factor: number): Picture {
  if (picture.channels === 1) return picture;
  const turn = Math.trunc(factor * 255);
  const plane = picture.height * picture.width;
  const hsv = toHsv(picture.values, plane);
  for (let pixel = 0; pixel < plane; pixel++) hsv[pixel] = (hsv[pixel] ?? 0) + turn; // a byte wraps around the circle
  return {...picture, values: fromHsv(hsv, plane)};
}
