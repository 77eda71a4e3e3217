import {expect, test} from 'vitest';
import {drawInteger, permutation} from '../../stages/lib/data/permutation.ts';
import {augmentSchema} from '../../stages/lib/pictures/augment-schema.ts';
import {augmentPicture} from '../../stages/lib/pictures/augmentation.ts';
import {crop, mirror, shift} from '../../stages/lib/pictures/picture.ts';
import {bindPreprocessor} from '../../stages/lib/pictures/preprocessor.ts';
import {resize} from '../../stages/lib/pictures/resize.ts';
import {golden} from '../training/golden.ts';
import {chw} from './chw.ts';

test('resizing is Pillow’s, byte for byte, both ways', () => {
  const colour = {channels: 3, height: 6, width: 6, values: Uint8Array.from(chw(golden.pil.img))};
  expect([...resize(colour, 8, 8, 'bilinear').values]).toEqual(chw(golden.pil.resize8x8_bilinear));
  expect([...resize(colour, 4, 4, 'bilinear').values]).toEqual(chw(golden.pil.resize4x4_bilinear));
});

test('levels become what the HuggingFace processor makes of them', () => {
  const model = {channels: 1, imageSize: 2};
  const {table} = bindPreprocessor(
    {rescale_factor: 1 / 255, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5]},
    model,
    {channels: 1, height: 2, width: 2},
  );
  expect([table[0], table[255]]).toEqual([-1, 1]);
  expect(table[128]).toBe(Math.fround(Math.fround(Math.fround(128 / 255) - 0.5) / 0.5));
});

test('what cannot be preprocessed is refused with what to do', () => {
  const model = {channels: 3, imageSize: 4};
  expect(() => bindPreprocessor({}, model, {channels: 1, height: 4, width: 4})).toThrow(
    'The model takes pictures of 3 channel(s), and the data set',
  );
  expect(() => bindPreprocessor({do_resize: false}, model, {channels: 3, height: 5, width: 4})).toThrow(
    'do_resize: false',
  );
  expect(() => bindPreprocessor({size: {shortest_edge: 4}}, model, {channels: 3, height: 5, width: 4})).toThrow(
    "The model takes pictures of 4 × 4 pixels, and the preprocessor makes 5 × 4 of the data set's 5 × 4.",
  );
  expect(() => bindPreprocessor({image_mean: [0.1, 0.2]}, model, {channels: 3, height: 4, width: 4})).toThrow(
    'image_mean has 2 values for 3 channel(s)',
  );
});

const picture = {channels: 1, height: 2, width: 3, values: Uint8Array.of(1, 2, 3, 4, 5, 6)};

test('shift, mirror and crop move pixels as they say', () => {
  expect([...shift(picture, 1, 0).values]).toEqual([0, 0, 0, 1, 2, 3]);
  expect([...shift(picture, -1, 0).values]).toEqual([4, 5, 6, 0, 0, 0]);
  expect([...shift(picture, 0, 2).values]).toEqual([0, 0, 1, 0, 0, 4]);
  expect([...shift(picture, 0, -1).values]).toEqual([2, 3, 0, 5, 6, 0]);
  expect([...shift(picture, 0, 3).values]).toEqual([0, 0, 0, 0, 0, 0]);
  expect([...mirror(picture).values]).toEqual([3, 2, 1, 6, 5, 4]);
  expect([...crop(picture, 0, 1, 2, 2).values]).toEqual([2, 3, 5, 6]);
  const colour = {channels: 2, height: 2, width: 1, values: Uint8Array.of(1, 2, 3, 4)};
  expect([...shift(colour, 1, 0).values]).toEqual([0, 1, 0, 3]);
});

test('a shift reaches every offset within its range, and its noise does not depend on other augmentations', () => {
  const dot = {channels: 1, height: 7, width: 7, values: Uint8Array.from({length: 49}, (_, i) => (i === 24 ? 1 : 0))};
  const places = new Set<number>();
  for (let sample = 0; sample < 300; sample++) {
    const noise = {seed: 3, epoch: 0, sample};
    const alone = augmentPicture(dot, [{shift: 1}], 7, noise).values;
    const place = alone.indexOf(1);
    places.add(place);
    const flipped = augmentPicture(dot, [{shift: 1}, {flip: true}], 7, noise).values.indexOf(1);
    expect([place, place - (place % 7) + 6 - (place % 7)]).toContain(flipped);
  }
  expect([...places].sort((a, b) => a - b)).toEqual([16, 17, 18, 23, 24, 25, 30, 31, 32]);
});

test('an augmentation that is unknown or listed twice is refused', () => {
  expect(augmentSchema.safeParse([{shift: 2}, {shift: 3}]).success).toBe(false);
  expect(augmentSchema.safeParse([{jitter: 1}]).success).toBe(false);
  expect(augmentSchema.safeParse([{shift: 2, flip: true}]).success).toBe(false);
  expect(augmentSchema.parse([{crop: 24}, {flip: true}])).toEqual([{crop: 24}, {flip: true}]);
});

test('a permutation holds every index once, differs by epoch and seed, and is a prefix of itself', () => {
  const order = permutation(1000, 1, 'order', 0);
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({length: 1000}, (_, i) => i));
  expect([...permutation(1000, 1, 'order', 0)]).toEqual([...order]);
  expect([...permutation(1000, 1, 'order', 1)]).not.toEqual([...order]);
  expect([...permutation(1000, 2, 'order', 0)]).not.toEqual([...order]);
  expect([...permutation(1000, 1, 'order', 0, 10)]).toEqual([...order.subarray(0, 10)]);
});

test('drawn integers are spread evenly', () => {
  const counts = [0, 0, 0, 0, 0];
  for (let sample = 0; sample < 5000; sample++) {
    const value = drawInteger(5, 9, 'augment', 0, sample, 0);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120); // over four standard deviations
});
