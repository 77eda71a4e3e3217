import {StageError} from '../../../src/stage/define-stage.ts';
import type {Augmentation} from './augment-schema.ts';
import {checkSides, type Preprocessing} from './preprocessor.ts';
import {borderedSides} from './random-crop.ts';
import {type Sides, sidesOf} from './sides.ts';

/** Refuses an augmentation that the pictures cannot take, and one after which they do not come to the size that the model takes. */
export function checkAugmentation(augment: Augmentation, pictures: Sides, preprocessing: Preprocessing): void {
  let sides = pictures;
  for (const operation of augment) {
    if ('crop' in operation) {
      checkCrop({height: operation.crop, width: operation.crop}, sides);
      sides = sidesOf(operation.resize ?? preprocessing.size);
    } else if ('random-crop' in operation) {
      const crop = sidesOf(operation['random-crop'].size);
      checkCrop(crop, borderedSides(sides, operation['random-crop']));
      sides = crop;
    } else if ('random-resized-crop' in operation) {
      sides = sidesOf(operation['random-resized-crop'].size);
    }
  }
  checkSides(preprocessing, sides, 'the augmented pictures');
}

function checkCrop(crop: Sides, {height, width}: Sides): void {
  if (crop.height <= height && crop.width <= width) return;
  const size = crop.height === crop.width ? crop.height : `${crop.height} × ${crop.width}`;
  throw new StageError(
    `A crop of ${size} pixels is larger than the pictures (${height} × ${width}).`,
    'Make the crop smaller.',
  );
}
