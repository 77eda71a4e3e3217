import {expect, test} from 'vitest';
import {checkpointPreprocessor, completePreprocessor} from '../../stages/lib/checkpoint/preprocessor.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {batchBuffer, fillBatch} from '../../stages/lib/pictures/batch.ts';
import {crop, mirror, pad, upsideDown} from '../../stages/lib/pictures/picture.ts';
import {bindPreprocessor} from '../../stages/lib/pictures/preprocessor.ts';
import {resize} from '../../stages/lib/pictures/resize.ts';
import {digestOf, pictureOf, pillow} from './pillow.ts';

test.each(pillow.resized)('$filter from $from to $to is Pillow’s, byte for byte', ({from, to, filter, sha256}) => {
  expect(digestOf(resize(pictureOf(from), ...to, filter).values)).toBe(sha256);
});

test.each(pillow.padded)('a border of $padding, $mode, is torchvision’s', ({from, padding, mode, sha256}) => {
  const [left = 0, top = left, right = left, bottom = top] = typeof padding === 'number' ? [padding] : padding;
  expect(digestOf(pad(pictureOf(from), {left, top, right, bottom}, mode).values)).toBe(sha256);
});

test.each(pillow.resized_crops)('a crop $box to $to, $interpolation, is torchvision’s', (one) => {
  const [top, left, height, width] = one.box;
  const part = crop(pictureOf(one.from), top, left, height, width);
  expect(digestOf(resize(part, ...one.to, one.interpolation).values)).toBe(one.sha256);
});

test('pictures are mirrored and stood on their heads as in torchvision', () => {
  const picture = pictureOf(pillow.flips.from);
  expect(digestOf(mirror(picture).values)).toBe(pillow.flips.horizontal);
  expect(digestOf(upsideDown(picture).values)).toBe(pillow.flips.vertical);
});

test.each(pillow.processed)('$config makes of $from what ViTImageProcessor makes of it', (one) => {
  const [channels, size] = one.shape;
  const model = bindModel({model: 'vit', num_channels: channels, image_size: size, patch_size: size, labels: 2});
  const preprocessor = completePreprocessor(checkpointPreprocessor(one.config), model);
  const picture = pictureOf(one.from);
  const preprocessing = bindPreprocessor(preprocessor, model, picture);
  const buffer = batchBuffer(preprocessing, 1);
  fillBatch(buffer, {...picture, n: 1, labels: Int32Array.of(0)}, [0], preprocessing);
  expect(digestOf(buffer.pixels)).toBe(one.sha256);
});
