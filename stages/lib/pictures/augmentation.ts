import type {Augmentation} from './augment-schema.ts';
import {type Adjustment, type ColorJitter, colorJitter, JITTER_OPERATIONS} from './color-jitter.ts';
import {DRAW, type Draws, drawsOf, type NoiseSource} from './draws.ts';
import {flipped} from './flip.ts';
import {crop, type Picture, shift} from './picture.ts';
import {randomCrop} from './random-crop.ts';
import {type RandomResizedCrop, resizedCropBox} from './random-resized-crop.ts';
import {resize} from './resize.ts';
import {sidesOf} from './sides.ts';

type Operation = Augmentation[number];

/**
 * Applies the list to one picture; `size` is the model's input, which a crop without `resize` is resized to. The input is not
 * written to.
 */
export function augmentPicture(picture: Picture, list: Augmentation, size: number, noise: NoiseSource): Picture {
  const draws = drawsOf(noise);
  return list.reduce((current, operation) => applied(current, operation, size, draws), picture);
}

function applied(picture: Picture, operation: Operation, size: number, draws: Draws): Picture {
  if ('shift' in operation) {
    const offset = (index: number): number => draws.integer(2 * operation.shift + 1, index) - operation.shift;
    return shift(picture, offset(DRAW.shiftDown), offset(DRAW.shiftRight));
  }
  if ('crop' in operation) {
    const side = operation.crop;
    const top = draws.integer(picture.height - side + 1, DRAW.cropTop);
    const left = draws.integer(picture.width - side + 1, DRAW.cropLeft);
    const target = operation.resize ?? size;
    return resize(crop(picture, top, left, side, side), target, target, 'bilinear');
  }
  if ('random-crop' in operation) {
    return randomCrop(picture, operation['random-crop'], {
      top: (below) => draws.integer(below, DRAW.randomCropTop),
      left: (below) => draws.integer(below, DRAW.randomCropLeft),
    });
  }
  if ('random-resized-crop' in operation) return resizedCrop(picture, operation['random-resized-crop'], draws);
  if ('jitter' in operation) return colorJitter(picture, drawJitter(operation.jitter, draws));
  if ('flip' in operation) {
    return flipped(picture, operation.flip, {
      horizontal: () => draws.chance(DRAW.flip),
      vertical: () => draws.chance(DRAW.verticalFlip),
    });
  }
  // normalize works on no bytes: it is in the preprocessing's table
  return picture;
}

function resizedCrop(picture: Picture, given: RandomResizedCrop, draws: Draws): Picture {
  const [narrowest, widest] = given.ratio;
  const box = resizedCropBox(picture, given.ratio, (tried) => ({
    area: draws.uniform(...given.scale, DRAW.resizedCropShape + 4 * tried),
    ratio: Math.exp(draws.uniform(Math.log(narrowest), Math.log(widest), DRAW.resizedCropShape + 4 * tried + 2)),
  }));
  const {top, left} = box.at ?? {
    top: draws.integer(picture.height - box.height + 1, DRAW.resizedCropTop),
    left: draws.integer(picture.width - box.width + 1, DRAW.resizedCropLeft),
  };
  const {height, width} = sidesOf(given.size);
  return resize(crop(picture, top, left, box.height, box.width), height, width, given.interpolation);
}

/** As torchvision's `ColorJitter.get_params`: an order of all four operations, and a factor for those in use. */
function drawJitter(jitter: ColorJitter, draws: Draws): readonly Adjustment[] {
  const left = [...JITTER_OPERATIONS];
  const order = JITTER_OPERATIONS.flatMap((_, place) =>
    left.splice(draws.integer(left.length, DRAW.jitterOrder + 2 * place), 1),
  );
  return order.flatMap((operation) => {
    const range = jitter[operation];
    return range === undefined ? [] : [{operation, factor: draws.uniform(range[0], range[1], DRAW[operation])}];
  });
}
