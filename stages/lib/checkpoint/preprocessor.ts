import {z} from 'zod';
import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {Model} from '../models/model.ts';
import {schemaFaults} from '../schema-faults.ts';

const side = z.int().min(1).max(65_536);

/**
 * How a picture becomes the model's input, in the names of HuggingFace's `ViTImageProcessor`: resize, then times
 * `rescale_factor`, then minus mean over deviation for each channel.
 */
const preprocessorShape = z.strictObject({
  do_resize: z.boolean().describe('Whether a picture is resized to `size`.').default(true),
  size: z.strictObject({height: side, width: side}).describe('Pixels; the model’s own size when not given.').optional(),
  resample: z.int().min(0).max(5).describe('Pillow’s number of the filter; 2 is bilinear.').default(2),
  do_rescale: z.boolean().describe('Whether values are multiplied by `rescale_factor`.').default(true),
  rescale_factor: z
    .number()
    .positive()
    .describe('Takes values from 0…255 to 0…1.')
    .default(1 / 255),
  do_normalize: z.boolean().describe('Whether mean and deviation are applied.').default(true),
  image_mean: z.array(z.number()).describe('Mean of each channel; 0.5 each when not given.').optional(),
  image_std: z.array(z.number().positive()).describe('Deviation of each channel; 0.5 each when not given.').optional(),
});

export const preprocessorSchema = preprocessorShape.describe('How a picture becomes the model’s input.');
export type PreprocessorSettings = z.input<typeof preprocessorSchema>;

/** The whole preprocessor of a model. @throws StageError when it would give the model pictures it cannot take. */
export function completePreprocessor(settings: PreprocessorSettings, model: Model): JsonObject {
  const {channels, imageSize} = model;
  const halves = Array.from({length: channels}, () => 0.5);
  const {
    size = {height: imageSize, width: imageSize},
    image_mean = halves,
    image_std = halves,
    ...flags
  } = preprocessorSchema.parse(settings);
  if (flags.do_resize && (size.height !== imageSize || size.width !== imageSize)) {
    throw new StageError(
      `The preprocessor resizes pictures to ${size.height}x${size.width}, but the model takes ${imageSize}x${imageSize}.`,
      'Give a preprocessor and a model that belong together, or `image_size`, which sets the size of both.',
    );
  }
  if (image_mean.length !== channels || image_std.length !== channels) {
    throw new StageError(
      `The preprocessor has ${image_mean.length} means and ${image_std.length} deviations, but the model's pictures have ${channels} channels.`,
      'Give image_mean and image_std one number a channel.',
    );
  }
  return {...flags, size, image_mean, image_std};
}

const FIELDS = Object.keys(preprocessorShape.shape);

/**
 * The settings of a preprocessor_config.json; an old file gives `size` as one number.
 *
 * @throws StageError when it asks for what basin does not do (a crop).
 */
export function checkpointPreprocessor(config: JsonObject): PreprocessorSettings {
  const {size, do_center_crop: crop} = config;
  if (crop === true) {
    throw new StageError(
      'preprocessor_config.json asks for a centre crop, which a ViT image processor does not do.',
      'Remove do_center_crop, or choose a checkpoint of a ViT.',
    );
  }
  const used = Object.fromEntries(
    FIELDS.filter((name) => config[name] !== undefined).map((name) => [name, config[name]]),
  );
  const parsed = preprocessorSchema.safeParse({
    ...used,
    ...(typeof size === 'number' && {size: {height: size, width: size}}),
  });
  if (parsed.success) return parsed.data;
  throw new StageError(
    `preprocessor_config.json asks for what basin cannot do: ${schemaFaults(parsed.error)}.`,
    'Write the field as ViTImageProcessor does, or remove the file: its defaults are those of google/vit.',
  );
}
