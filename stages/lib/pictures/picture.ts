import {resizeBilinear} from './resize.ts';

/** A picture as bytes, CHW. */
export interface Picture {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly values: Uint8Array;
}

/** The picture as a square of `size` pixels. */
export function resized(picture: Picture, size: number): Picture {
  const {channels, height, width, values} = picture;
  if (height === size && width === size) return picture;
  return {channels, height: size, width: size, values: resizeBilinear(values, channels, height, width, size, size)};
}

/** Moves down and right by so many pixels (up and left when negative). */
export function shift(picture: Picture, down: number, right: number): Picture {
  if (down === 0 && right === 0) return picture;
  const {channels, height, width, values} = picture;
  const out = new Uint8Array(values.length);
  const length = width - Math.abs(right);
  if (length <= 0) return {...picture, values: out};
  for (let row = 0; row < channels * height; row++) {
    const y = row % height;
    const from = y - down;
    if (from < 0 || from >= height) continue;
    const source = (row - down) * width + Math.max(0, -right);
    out.set(values.subarray(source, source + length), row * width + Math.max(0, right));
  }
  return {...picture, values: out};
}

export function mirror(picture: Picture): Picture {
  const out = picture.values.slice();
  for (let start = 0; start < out.length; start += picture.width) out.subarray(start, start + picture.width).reverse();
  return {...picture, values: out};
}

export function crop(picture: Picture, top: number, left: number, size: number): Picture {
  const {channels, height, width, values} = picture;
  const out = new Uint8Array(channels * size * size);
  for (let row = 0; row < channels * size; row++) {
    const channel = Math.floor(row / size);
    const source = (channel * height + top + (row % size)) * width + left;
    out.set(values.subarray(source, source + size), row * size);
  }
  return {channels, height: size, width: size, values: out};
}
