import {z} from 'zod';
import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {schemaFaults} from '../schema-faults.ts';

const perChannel = z.union([z.number(), z.array(z.number()).min(1)]);

/** The fields of HuggingFace's preprocessor_config.json that decide pixel values; others may stand beside them. */
const preprocessorSchema = z.looseObject({
  do_resize: z.boolean().default(true),
  /** Pillow's number of a filter; 2 is bilinear. */
  resample: z.int().default(2),
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel.default(0.5),
  image_std: perChannel.default(0.5),
});

const BILINEAR = 2;

/** How bytes become the model's input. */
export interface Preprocessing {
  readonly channels: number;
  /** Height and width of the model's input. */
  readonly size: number;
  /** For each channel, the float32 of each of the 256 levels: `table[channel * 256 + level]`. */
  readonly table: Float32Array;
}

/**
 * Binds weights' preprocessor to a model's input and to pictures of a given shape. Values are those of
 * ViTImageProcessor's Pillow path: the level times `rescale_factor` in float64, rounded to float32, then normalised in float32.
 *
 * @throws StageError when channels differ, when a resize is needed and not allowed, or for a filter other than bilinear.
 */
export function bindPreprocessor(
  preprocessor: JsonObject,
  model: {readonly channels: number; readonly imageSize: number},
  pictures: {readonly channels: number; readonly height: number; readonly width: number},
): Preprocessing {
  const {channels, imageSize: size} = model;
  if (pictures.channels !== channels) {
    throw new StageError(
      `The model takes pictures of ${channels} channel(s), and the data set's have ${pictures.channels}.`,
      'Use a data set of as many channels, or load the model with another number of channels.',
    );
  }
  const parsed = preprocessorSchema.safeParse(preprocessor);
  if (!parsed.success) {
    throw new StageError(
      `The weights' preprocessor cannot be used: ${schemaFaults(parsed.error)}`,
      'Mend preprocessor_config.json and load them again.',
    );
  }
  const config = parsed.data;
  if (pictures.height !== size || pictures.width !== size) {
    if (!config.do_resize) {
      throw new StageError(
        `The model takes pictures of ${size} × ${size} pixels, the data set's have ${pictures.height} × ${pictures.width}, and the preprocessor has do_resize: false.`,
        'Load weights for this size (pretrain-load has `image_size` for it), or set do_resize: true in their preprocessor.',
      );
    }
    if (config.resample !== BILINEAR) {
      throw new StageError(
        `The preprocessor resizes with Pillow's filter ${config.resample}; basin has bilinear (2) only.`,
        'Set resample: 2.',
      );
    }
  }
  const mean = config.do_normalize ? channelValues(config.image_mean, channels, 'image_mean') : undefined;
  const std = config.do_normalize ? channelValues(config.image_std, channels, 'image_std') : undefined;
  const table = new Float32Array(channels * 256);
  for (let channel = 0; channel < channels; channel++) {
    for (let level = 0; level < 256; level++) {
      const scaled = Math.fround(config.do_rescale ? level * config.rescale_factor : level);
      const centred = Math.fround(scaled - Math.fround(mean?.[channel] ?? 0));
      table[channel * 256 + level] = Math.fround(centred / Math.fround(std?.[channel] ?? 1));
    }
  }
  return {channels, size, table};
}

/** One value for each channel; a list of another length serves when all its values are equal. */
function channelValues(given: number | readonly number[], channels: number, field: string): readonly number[] {
  const values = typeof given === 'number' ? [given] : given;
  if (values.length === channels) return values;
  const [first = 0] = values;
  if (values.every((value) => value === first)) return Array.from({length: channels}, () => first);
  throw new StageError(
    `The preprocessor's ${field} has ${values.length} values for ${channels} channel(s).`,
    `Give ${field} one value for each channel.`,
  );
}
