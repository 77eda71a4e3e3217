import {expect, test} from 'vitest';
import {augmentSchema} from '../../stages/lib/pictures/augment-schema.ts';
import {augmentPicture} from '../../stages/lib/pictures/augmentation.ts';
import {batchBuffer, fillBatch} from '../../stages/lib/pictures/batch.ts';
import {checkAugmentation} from '../../stages/lib/pictures/check-augmentation.ts';
import {crop, mirror, type Picture, pad, upsideDown} from '../../stages/lib/pictures/picture.ts';
import {bindPreprocessor} from '../../stages/lib/pictures/preprocessor.ts';
import {resizedCropBox} from '../../stages/lib/pictures/random-resized-crop.ts';
import {trainingPreprocessing} from '../../stages/lib/pictures/training-preprocessing.ts';
import {digestOf, pictureOf, pillow} from './pillow.ts';

const picture = pictureOf([6, 5, 3]);
const augmented = (list: unknown, sample: number, of: Picture = picture, epoch = 0, seed = 5): Picture =>
  augmentPicture(of, augmentSchema.parse(list), 5, {seed, epoch, sample});
const samples = Array.from({length: 400}, (_, sample) => sample);
const text = ({values}: Picture): string => values.join(' ');

test.each(pillow.crops)(
  'of $picture, tries $tries give the crop of torchvision',
  ({picture, ratio, tries, ...wanted}) => {
    const [height, width] = picture;
    const box = resizedCropBox({height, width}, ratio, (tried) => {
      const [area = Number.NaN, aspect = Number.NaN] = tries[tried] ?? [];
      return {area, ratio: aspect};
    });
    // make.py places what is drawn at the corner
    const {top, left} = box.at ?? {top: 0, left: 0};
    expect({top, left, sides: [box.height, box.width]}).toEqual(wanted);
  },
);

test('a random crop is every part of the bordered picture, and only those', () => {
  const bordered = pad(picture, {left: 1, top: 2, right: 1, bottom: 2}, 'reflect');
  const parts = new Set<string>();
  for (let top = 0; top <= 10 - 7; top++) {
    for (let left = 0; left <= 7 - 4; left++) parts.add(text(crop(bordered, top, left, 7, 4)));
  }
  const list = [{'random-crop': {size: [7, 4], padding: [1, 2], padding_mode: 'reflect'}}];
  expect(new Set(samples.map((sample) => text(augmented(list, sample))))).toEqual(parts);
});

test('a random resized crop stays within its range of areas and shapes, and is anywhere', () => {
  // each level tells where it was
  const field: Picture = {channels: 1, height: 16, width: 16, values: Uint8Array.from({length: 256}, (_, i) => i)};
  const corners = new Set<number | undefined>();
  for (const sample of samples) {
    const list = [{'random-resized-crop': {size: 16, scale: [0.25, 0.5], ratio: [1, 2], interpolation: 'nearest'}}];
    const {values} = augmented(list, sample, field);
    const [rows, columns] = [new Set(values.map((v) => v >> 4)).size, new Set(values.map((v) => v & 15)).size];
    expect(rows * columns).toBeGreaterThan(0.25 * 256 - 24);
    expect(rows * columns).toBeLessThan(0.5 * 256 + 24);
    expect(columns / rows).toBeGreaterThan(0.85);
    expect(columns / rows).toBeLessThan(2.35);
    corners.add(values[0]);
  }
  expect(corners.size).toBeGreaterThan(40);
});

test('a flip mirrors as often as it says, in each direction by itself', () => {
  const counts = new Map<string, number>();
  const list = [{flip: {horizontal: 0.8, vertical: 0.25}}];
  for (const sample of samples) {
    const key = text(augmented(list, sample));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const share = (of: Picture): number => (counts.get(text(of)) ?? 0) / samples.length;
  expect(counts.size).toBe(4);
  expect(Math.abs(share(picture) - 0.15)).toBeLessThan(0.08); // over four standard deviations
  expect(Math.abs(share(mirror(picture)) - 0.6)).toBeLessThan(0.1);
  expect(Math.abs(share(upsideDown(picture)) - 0.05)).toBeLessThan(0.05);
  expect(text(augmented([{flip: 1}], 0))).toBe(text(mirror(picture)));
});

test('what means the same is written the same, and what was written before is as it was', () => {
  const before = [{shift: 2}, {crop: 24, resize: 32}, {flip: true}, {jitter: {hue: [-0.1, 0.1]}}];
  expect(augmentSchema.parse(before)).toEqual(before);
  const same: readonly [unknown, unknown][] = [
    [{flip: 0.5}, {flip: true}],
    [{flip: {horizontal: 0.5}}, {flip: true}],
    [{flip: {horizontal: 0, vertical: 0.5}}, {flip: {vertical: 0.5}}],
    [{'color-jitter': {brightness: 0.4}}, {jitter: {brightness: [0.6, 1.4]}}],
    [{'random-crop': {size: [32, 32], padding: [4, 4, 4, 4]}}, {'random-crop': {size: 32, padding: 4}}],
    [{'random-crop': {size: 32, padding: 4, padding_mode: 'constant'}}, {'random-crop': {size: 32, padding: 4}}],
    [{'random-crop': {size: 32, padding: 0}}, {'random-crop': {size: 32}}],
    [
      {'random-resized-crop': {size: 32}},
      {'random-resized-crop': {size: 32, scale: [0.08, 1], ratio: [3 / 4, 4 / 3], interpolation: 'bilinear'}},
    ],
  ];
  for (const [written, canonical] of same) {
    expect(augmentSchema.parse([written])).toEqual([canonical]);
    expect(augmentSchema.parse([canonical])).toEqual([canonical]);
  }
  for (const none of [{flip: 0}, {flip: {vertical: 0}}, {'color-jitter': {hue: 0}}]) {
    expect(augmentSchema.parse([none])).toEqual([]);
  }
});

test.each([
  [[{'color-jitter': {hue: 0.1}}, {jitter: {hue: 0.1}}]],
  [[{normalize: {mean: [0.5], std: [0.5]}}, {flip: true}]],
  [[{normalize: {mean: [0.5], std: [0]}}]],
  [[{normalize: {mean: [0.5, 0.5], std: [0.5]}}]],
  [[{'random-crop': {size: 8, padding_mode: 'edge'}}]],
  [[{'random-crop': {size: 8, padding: [1, 2, 3]}}]],
  [[{'random-resized-crop': {size: 8, scale: [0.5, 0.1]}}]],
  [[{'random-resized-crop': {size: 8, scale: [0.5, 1.1]}}]],
  [[{'random-resized-crop': {size: 8, interpolation: 'cubic'}}]],
  [[{flip: 1.5}]],
])('%j is refused', (list) => {
  expect(augmentSchema.safeParse(list).success).toBe(false);
});

test('each operation has noise of its own: others before it leave it alone', () => {
  const grey: Picture = {...pictureOf([6, 6, 1]), channels: 1};
  for (const sample of samples.slice(0, 40)) {
    // these keep the bytes, but draw
    const still = [{jitter: {brightness: [1, 1.0000001]}}, {'random-crop': {size: 6}}];
    for (const list of [[{'random-resized-crop': {size: 6}}], [{flip: {vertical: 0.5}}], [{shift: 2}]]) {
      expect(augmented([...still, ...list], sample, grey)).toEqual(augmented(list, sample, grey));
    }
  }
  const list = [{'random-resized-crop': {size: 6}}];
  const base = text(augmented(list, 0));
  expect(text(augmented(list, 0))).toBe(base);
  expect(text(augmented(list, 1))).not.toBe(base);
  expect(text(augmented(list, 0, picture, 1))).not.toBe(base);
  expect(text(augmented(list, 0, picture, 0, 6))).not.toBe(base);
});

test('normalize gives the values of torchvision in training, and says when evaluation has others', () => {
  const {from, mean, std, sha256} = pillow.normalized;
  const one = pictureOf(from);
  const notes: string[] = [];
  const valuesWith = (preprocessor: Parameters<typeof bindPreprocessor>[0]): Float32Array => {
    const own = bindPreprocessor(preprocessor, {channels: 3, imageSize: 16}, one);
    const augment = augmentSchema.parse([{normalize: {mean, std}}]);
    const preprocessing = trainingPreprocessing(own, augment, (note) => void notes.push(note));
    const buffer = batchBuffer(preprocessing, 1);
    fillBatch(buffer, {...one, n: 1, labels: Int32Array.of(0)}, [0], preprocessing, {augment, seed: 1, epoch: 0});
    return buffer.pixels;
  };
  expect(digestOf(valuesWith({image_mean: mean, image_std: std}))).toBe(sha256);
  expect(notes).toEqual([]);
  expect(digestOf(valuesWith({}))).toBe(sha256);
  expect(notes).toEqual([expect.stringContaining("differs from the weights' preprocessor")]);
  const grey = bindPreprocessor({}, {channels: 1, imageSize: 16}, pictureOf([16, 16, 1]));
  expect(() => trainingPreprocessing(grey, augmentSchema.parse([{normalize: {mean, std}}]), () => {})).toThrow(
    'normalize has 3 mean(s), and the model takes pictures of 1 channel(s)',
  );
});

test('a list that the pictures cannot take is refused before anything is trained', () => {
  const sides = {height: 32, width: 32};
  const check = (list: unknown, preprocessor = {}) =>
    checkAugmentation(
      augmentSchema.parse(list),
      sides,
      bindPreprocessor(preprocessor, {channels: 3, imageSize: 32}, {...sides, channels: 3}),
    );
  check([{'random-crop': {size: 40, padding: 4}}, {crop: 40, resize: 16}]);
  expect(() => check([{crop: 40}])).toThrow('A crop of 40 pixels is larger than the pictures (32 × 32).');
  expect(() => check([{'random-crop': {size: [41, 32], padding: 4}}])).toThrow('(40 × 40)');
  expect(() => check([{'random-resized-crop': {size: 16}}, {'random-crop': {size: 24}}])).toThrow('(16 × 16)');
  expect(() => check([{'random-crop': {size: 24}}], {do_resize: false})).toThrow('the augmented pictures have 24 × 24');
  check([{crop: 24}], {do_resize: false});
});
