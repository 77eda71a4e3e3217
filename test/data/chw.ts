/** Pillow's order, rows of pixels of channels, as basin's: one plane a channel. */
export const chw = (rows: readonly (readonly (readonly number[])[])[]): number[] =>
  [0, 1, 2].flatMap((channel) => rows.flatMap((row) => row.map((pixel) => pixel[channel] ?? -1)));
