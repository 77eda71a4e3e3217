import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {z} from 'zod';
import {FILTERS} from '../../stages/lib/pictures/filters.ts';
import {PADDING_MODES, type Picture} from '../../stages/lib/pictures/picture.ts';

const pair = z.tuple([z.number(), z.number()]);
const shape = z.tuple([z.number(), z.number(), z.number()]);
const sha256 = z.string();

/** What Pillow, torchvision and transformers made of known bytes; test/fixtures/pillow/make.py says how. */
export const pillow = z
  .object({
    resized: z.array(z.object({from: shape, to: pair, filter: z.enum(FILTERS), sha256})),
    padded: z.array(
      z.object({
        from: shape,
        padding: z.union([z.number(), z.array(z.number())]),
        mode: z.enum(PADDING_MODES),
        sha256,
      }),
    ),
    resized_crops: z.array(
      z.object({
        from: shape,
        box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
        to: pair,
        interpolation: z.enum(FILTERS),
        sha256,
      }),
    ),
    flips: z.object({from: shape, horizontal: sha256, vertical: sha256}),
    normalized: z.object({from: shape, mean: z.array(z.number()), std: z.array(z.number()), sha256}),
    crops: z.array(
      z.object({
        picture: pair,
        ratio: pair,
        tries: z.array(pair),
        top: z.number(),
        left: z.number(),
        sides: pair,
      }),
    ),
    processed: z.array(z.object({from: shape, config: z.record(z.string(), z.json()), shape, sha256})),
  })
  .parse(JSON.parse(readFileSync(new URL('../fixtures/pillow/pillow.json', import.meta.url), 'utf8')));

/** The picture that make.py makes for these sides. */
export function pictureOf([height, width, channels]: readonly [number, number, number]): Picture {
  const values = new Uint8Array(channels * height * width);
  let state = 1000 * height + width;
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      state = (Math.imul(1_664_525, state) + 1_013_904_223) >>> 0;
      values[channel * height * width + pixel] = state >>> 24;
    }
  }
  return {channels, height, width, values};
}

export const digestOf = (values: Uint8Array | Float32Array): string =>
  createHash('sha256').update(values).digest('hex');
