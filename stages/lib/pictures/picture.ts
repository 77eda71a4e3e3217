/** A picture as bytes, CHW. */
export interface Picture {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly values: Uint8Array;
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

/** Left and right exchanged. */
export function mirror(picture: Picture): Picture {
  const out = picture.values.slice();
  for (let start = 0; start < out.length; start += picture.width) out.subarray(start, start + picture.width).reverse();
  return {...picture, values: out};
}

/** Top and bottom exchanged. */
export function upsideDown(picture: Picture): Picture {
  const {channels, height, width, values} = picture;
  const out = new Uint8Array(values.length);
  for (let row = 0; row < channels * height; row++) {
    const y = row % height;
    const from = (row - y + height - 1 - y) * width;
    out.set(values.subarray(from, from + width), row * width);
  }
  return {...picture, values: out};
}

/** The part of the picture that begins at a pixel within it. */
export function crop(picture: Picture, top: number, left: number, height: number, width: number): Picture {
  if (top === 0 && left === 0 && height === picture.height && width === picture.width) return picture;
  const {channels, values} = picture;
  const out = new Uint8Array(channels * height * width);
  for (let row = 0; row < channels * height; row++) {
    const channel = Math.floor(row / height);
    const source = (channel * picture.height + top + (row % height)) * picture.width + left;
    out.set(values.subarray(source, source + width), row * width);
  }
  return {channels, height, width, values: out};
}

/** Pixels added on each side. */
export interface Border {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What a border shows: black, the edge's pixels, or the picture mirrored, without its edge (`reflect`) or with it. */
export const PADDING_MODES = ['constant', 'edge', 'reflect', 'symmetric'] as const;
export type PaddingMode = (typeof PADDING_MODES)[number];

/** The picture with a border, as torchvision's `pad` and `numpy.pad` make it, mirrored again where a border is wider than it. */
export function pad(picture: Picture, {left, top, right, bottom}: Border, mode: PaddingMode): Picture {
  if (left === 0 && top === 0 && right === 0 && bottom === 0) return picture;
  const {channels, values} = picture;
  const rows = sources(picture.height, top, bottom, mode);
  const columns = sources(picture.width, left, right, mode);
  const out = new Uint8Array(channels * rows.length * columns.length);
  let to = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (const row of rows) {
      const start = (channel * picture.height + row) * picture.width;
      for (const column of columns) out[to++] = row < 0 || column < 0 ? 0 : (values[start + column] ?? 0);
    }
  }
  return {channels, height: rows.length, width: columns.length, values: out};
}

/** Where each place of a padded axis comes from; −1 is nowhere. */
function sources(length: number, before: number, after: number, mode: PaddingMode): Int32Array {
  return Int32Array.from({length: before + length + after}, (_, to) => {
    const place = to - before;
    if (place >= 0 && place < length) return place;
    if (mode === 'constant') return -1;
    if (mode === 'edge' || length === 1) return place < 0 ? 0 : length - 1;
    // the picture and its mirror image, over and over: they share both edges, or neither
    const period = mode === 'reflect' ? 2 * length - 2 : 2 * length;
    const within = ((place % period) + period) % period;
    return within < length ? within : (mode === 'reflect' ? period : period - 1) - within;
  });
}
