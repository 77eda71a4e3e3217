import type {Filter} from './filters.ts';
import {crop, type Picture, pad} from './picture.ts';
import {resize} from './resize.ts';
import type {Sides} from './sides.ts';

/** How HuggingFace's image processors bring a picture to the size that a model takes; plain data, so that threads can be sent it. */
export interface PictureFit {
  /** The sides as they are given, or the shorter one with the shape kept. */
  readonly resize?: {readonly to: Sides | {readonly shortest_edge: number}; readonly filter: Filter};
  /** Cut from the middle; what is smaller gets a black border. */
  readonly centerCrop?: Sides;
}

/** The sides after the resize. A longer edge is cut to a whole number, as in `get_resize_output_image_size`. */
function resizedSides({height, width}: Sides, to: Sides | {readonly shortest_edge: number}): Sides {
  if (!('shortest_edge' in to)) return to;
  const short = to.shortest_edge;
  return width <= height
    ? {height: Math.trunc((short * height) / width), width: short}
    : {height: short, width: Math.trunc((short * width) / height)};
}

/** The sides that a picture of the given ones has in the end. */
export function fittedSides(sides: Sides, fit: PictureFit): Sides {
  return fit.centerCrop ?? (fit.resize ? resizedSides(sides, fit.resize.to) : sides);
}

/** A picture as its model takes it: resized, then cropped. */
export function fitPicture(picture: Picture, {resize: step, centerCrop: frame}: PictureFit): Picture {
  let current = picture;
  if (step) {
    const {height, width} = resizedSides(current, step.to);
    current = resize(current, height, width, step.filter);
  }
  return frame ? centerCropped(current, frame) : current;
}

/** `center_crop` of transformers: an odd remainder is cut below and right, and padded above and left. */
function centerCropped(picture: Picture, {height, width}: Sides): Picture {
  if (picture.height === height && picture.width === width) return picture;
  const [down, right] = [Math.max(0, height - picture.height), Math.max(0, width - picture.width)];
  const [top, left] = [Math.ceil(down / 2), Math.ceil(right / 2)];
  const framed = pad(picture, {left, top, right: right - left, bottom: down - top}, 'constant');
  return crop(framed, Math.floor((framed.height - height) / 2), Math.floor((framed.width - width) / 2), height, width);
}
