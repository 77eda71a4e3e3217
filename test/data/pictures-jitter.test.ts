import {createHash} from 'node:crypto';
import {expect, test} from 'vitest';
import {type Augmentation, augmentSchema} from '../../stages/lib/pictures/augment-schema.ts';
import {augmentPicture} from '../../stages/lib/pictures/augmentation.ts';
import {adjustBrightness, adjustContrast, adjustHue, adjustSaturation, luma} from '../../stages/lib/pictures/color.ts';
import {fromHsv, toHsv} from '../../stages/lib/pictures/hsv.ts';
import type {Picture} from '../../stages/lib/pictures/picture.ts';
import {golden} from '../training/golden.ts';
import {chw} from './chw.ts';

const {pil} = golden;
const colour: Picture = {channels: 3, height: 6, width: 6, values: Uint8Array.from(chw(pil.img))};

test('every adjustment is what torchvision makes of a Pillow picture, byte for byte', () => {
  expect([...luma(colour)]).toEqual(pil.L.flat());
  expect([...toHsv(colour.values, 36)]).toEqual(chw(pil.HSV));
  expect([...adjustBrightness(colour, 1.3).values]).toEqual(chw(pil['brightness1.3']));
  expect([...adjustContrast(colour, 0.7).values]).toEqual(chw(pil['contrast0.7']));
  expect([...adjustSaturation(colour, 1.6).values]).toEqual(chw(pil['saturation1.6']));
  expect([...adjustHue(colour, 0.1).values]).toEqual(chw(pil['hue+0.1']));
  expect([...adjustHue(colour, -0.25).values]).toEqual(chw(pil['hue-0.25']));
});

const digest = (...parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

// The digests of this file are those of what Pillow 13.0.0 made of the same bytes, in planes.
test('all 16,777,216 colours turn into Pillow’s HSV, RGB and L', () => {
  const n = 2 ** 24;
  const cube = new Uint8Array(3 * n);
  for (let i = 0; i < n; i++) {
    cube[i] = i >>> 16;
    cube[n + i] = i >>> 8;
    cube[2 * n + i] = i;
  }
  expect(digest(toHsv(cube, n))).toBe('4d1934836e2528e5085fff0f93c7b2b1be92a273898695f3300e71a371761a4e');
  expect(digest(fromHsv(cube, n))).toBe('ee2445e2612b33935211d77eb08c74504ef43a388d53e7d98e0492d2a7389bae');
  expect(digest(luma({channels: 3, height: 4096, width: 4096, values: cube}))).toBe(
    '40a12c2550a7822eba958211e157974abdd4c9a442cc1047c9a48d3a968b6fcc',
  );
});

const SIDE = 64;
/** The generator of the golden vectors, seed 7, pixel by pixel. */
function randomPicture(): Picture {
  let state = 7;
  const next = (): number => {
    state = (Math.imul(1_664_525, state) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  const pixels = Array.from({length: SIDE * SIDE}, () => [next(), next(), next()]);
  return {channels: 3, height: SIDE, width: SIDE, values: Uint8Array.from(chw([pixels]))};
}

const FACTORS = [0, 0.05, 0.1, 0.3, 0.6, 0.7, 0.999, 1, 1.001, 1.1, 1.3, 1.4, 1.6, 2.5, 17.3, 255];
const TURNS = [-0.5, -0.25, -0.1, -0.001, 0, 0.003, 0.004, 0.05, 0.1, 0.37, 0.5];

/** Each factor's brightness, contrast and saturation. */
const blends = (picture: Picture): Uint8Array[] =>
  FACTORS.flatMap((factor) =>
    [adjustBrightness, adjustContrast, adjustSaturation].map((adjust) => adjust(picture, factor).values),
  );

test('factors of all sizes blend and turn as in Pillow', () => {
  const picture = randomPicture();
  const turned = TURNS.map((turn) => adjustHue(picture, turn).values);
  expect(digest(...blends(picture), ...turned)).toBe(
    '7108ca5e62240024a6ae43ae0233791000bced130c7181ef7134a0dad4dad2fb',
  );
});

test('a picture of one channel has brightness and contrast as in Pillow, and no colour to change', () => {
  const picture = randomPicture();
  const grey: Picture = {...picture, channels: 1, values: luma(picture)};
  expect(digest(...blends(grey))).toBe('a1c91e99ae8803316e124ceda18a00394aaa957aa2647543b753cbdcfea3b055');
  expect(adjustHue(grey, 0.2)).toEqual(grey);
  expect(adjustSaturation(grey, 2)).toEqual(grey);
});

const augmented = (list: unknown, sample: number, epoch = 0, seed = 5): number[] => [
  ...augmentPicture(colour, augmentSchema.parse(list), 6, {seed, epoch, sample}).values,
];

test('a range of one factor is that adjustment, with the golden bytes, for every draw', () => {
  const alone: readonly [unknown, readonly (readonly (readonly number[])[])[]][] = [
    [{brightness: [1.3, 1.3]}, pil['brightness1.3']],
    [{contrast: [0.7, 0.7]}, pil['contrast0.7']],
    [{saturation: [1.6, 1.6]}, pil['saturation1.6']],
    [{hue: [-0.25, -0.25]}, pil['hue-0.25']],
  ];
  for (const [jitter, wanted] of alone) {
    for (let sample = 0; sample < 5; sample++) expect(augmented([{jitter}], sample)).toEqual(chw(wanted));
  }
});

test('the adjustments come in all 24 orders, each about as often', () => {
  const jitter = {brightness: [1.3, 1.3], contrast: [0.7, 0.7], saturation: [1.6, 1.6], hue: [0.1, 0.1]};
  const counts = new Map<string, number>();
  for (let sample = 0; sample < 4800; sample++) {
    const bytes = augmented([{jitter}], sample).join(' ');
    counts.set(bytes, (counts.get(bytes) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(70); // five standard deviations
});

test('a strength of v draws evenly from 1 − v to 1 + v, anew for each seed, epoch and sample', () => {
  const dot: Picture = {channels: 1, height: 1, width: 1, values: Uint8Array.of(100)};
  const list = augmentSchema.parse([{jitter: {brightness: 0.4}}]);
  const levels = Array.from(
    {length: 4000},
    (_, sample) => augmentPicture(dot, list, 1, {seed: 1, epoch: 0, sample}).values[0] ?? -1,
  );
  expect(Math.min(...levels)).toBe(60);
  expect(Math.max(...levels)).toBe(139);
  const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
  expect(Math.abs(mean - 99.5)).toBeLessThan(1.9); // five standard deviations of the mean
  const base = augmented([{jitter: {brightness: 0.4, hue: 0.5}}], 0);
  expect(augmented([{jitter: {brightness: 0.4, hue: 0.5}}], 0)).toEqual(base);
  expect(augmented([{jitter: {brightness: 0.4, hue: 0.5}}], 1)).not.toEqual(base);
  expect(augmented([{jitter: {brightness: 0.4, hue: 0.5}}], 0, 1)).not.toEqual(base);
  expect(augmented([{jitter: {brightness: 0.4, hue: 0.5}}], 0, 0, 6)).not.toEqual(base);
});

test('jitter leaves the noise of the other augmentations alone, and theirs leaves its own', () => {
  const still: Augmentation = augmentSchema.parse([{jitter: {brightness: [1, 1.0000001]}}]);
  for (let sample = 0; sample < 50; sample++) {
    const noise = {seed: 3, epoch: 0, sample};
    const moved = augmentPicture(colour, augmentSchema.parse([{shift: 2}, {flip: true}]), 6, noise);
    const both = augmentPicture(colour, [...still, ...augmentSchema.parse([{shift: 2}, {flip: true}])], 6, noise);
    expect(both).toEqual(moved);
    const flat: Picture = {...colour, values: new Uint8Array(108).fill(100)};
    const jitter = augmentSchema.parse([{jitter: {brightness: 0.4, contrast: 0.4}}]);
    const flipped = augmentSchema.parse([{flip: true}, {jitter: {brightness: 0.4, contrast: 0.4}}]);
    expect(augmentPicture(flat, flipped, 6, noise)).toEqual(augmentPicture(flat, jitter, 6, noise));
  }
});

test('one way to write a strength: what means the same is the same, and 0 is no augmentation', () => {
  const written = augmentSchema.parse([{jitter: {brightness: 0.4, contrast: 1.5, hue: 0.1}}]);
  expect(written).toEqual([{jitter: {brightness: [0.6, 1.4], contrast: [0, 2.5], hue: [-0.1, 0.1]}}]);
  expect(augmentSchema.parse(written)).toEqual(written);
  expect(augmentSchema.parse([{flip: true}, {jitter: {brightness: 0, hue: [0, 0]}}])).toEqual([{flip: true}]);
});

test('strengths out of range, ranges turned around and unknown names are refused', () => {
  const refused = [
    {brightness: -0.1},
    {brightness: [1.4, 0.6]},
    {contrast: [-0.1, 1]},
    {saturation: [1, 256]},
    {saturation: [0.5, 1, 1.5]},
    {hue: 0.6},
    {hue: [-0.6, 0]},
    {gamma: 0.2},
    {brightness: '0.4'},
  ];
  for (const jitter of refused) expect(augmentSchema.safeParse([{jitter}]).success, JSON.stringify(jitter)).toBe(false);
});

test('a crop is resized to what it says, else to the model’s input', () => {
  const noise = {seed: 1, epoch: 0, sample: 0};
  const sizeOf = (list: unknown) => augmentPicture(colour, augmentSchema.parse(list), 12, noise).height;
  expect(sizeOf([{crop: 4}])).toBe(12);
  expect(sizeOf([{crop: 4, resize: 6}])).toBe(6);
  expect(sizeOf([{crop: 4, resize: 6}, {flip: true}, {jitter: {hue: 0.1}}])).toBe(6);
});
