import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {schemaFaults} from '../schema-faults.ts';
import {FILTERS} from './filters.ts';
import {fittedSides, type PictureFit} from './fit-picture.ts';
import {type PreprocessorSettings, preprocessorSchema} from './preprocessor-settings.ts';
import type {Sides} from './sides.ts';

/** How bytes become the model's input. */
export interface Preprocessing {
  /** Of the model's input; a grey picture stands for all of them where the preprocessor makes it RGB. */
  readonly channels: number;
  /** Height and width of the model's input. */
  readonly size: number;
  readonly fit: PictureFit;
  /** For each channel, the float32 of each of the 256 levels: `table[channel * 256 + level]`. */
  readonly table: Float32Array;
}

interface PictureShape extends Sides {
  readonly channels: number;
}

/**
 * Binds weights' preprocessor to a model's input and to pictures of a given shape. Values are those of
 * ViTImageProcessor's Pillow path: the level times `rescale_factor` in float64, rounded to float32, then normalised in float32.
 *
 * @throws StageError when channels differ, or when the pictures do not come to the size that the model takes.
 */
export function bindPreprocessor(
  preprocessor: JsonObject,
  model: {readonly channels: number; readonly imageSize: number},
  pictures: PictureShape,
): Preprocessing {
  const parsed = preprocessorSchema.safeParse(preprocessor);
  if (!parsed.success) {
    throw new StageError(
      `The weights' preprocessor cannot be used: ${schemaFaults(parsed.error)}`,
      'Mend preprocessor_config.json and load them again.',
    );
  }
  const settings = parsed.data;
  checkChannels(settings, model.channels, pictures.channels);
  const {channels, imageSize: size} = model;
  const {crop_size: centerCrop} = settings;
  const preprocessing = {
    channels,
    size,
    fit: {
      ...(settings.do_resize && {
        resize: {
          to: settings.size ?? {height: size, width: size},
          filter: FILTERS[settings.resample] ?? 'bilinear',
        },
      }),
      ...(centerCrop && {centerCrop}),
    },
    table: tableOf(settings, channels),
  };
  checkSides(preprocessing, pictures, "the data set's");
  return preprocessing;
}

/** Refuses pictures that do not come to the size that the model takes; `whose` says which they are. */
export function checkSides({size, fit}: Preprocessing, {height, width}: Sides, whose: string): void {
  const fitted = fittedSides({height, width}, fit);
  if (fitted.height === size && fitted.width === size) return;
  if (!fit.resize && !fit.centerCrop) {
    throw new StageError(
      `The model takes pictures of ${size} × ${size} pixels, ${whose} have ${height} × ${width}, and the preprocessor has do_resize: false.`,
      'Load weights for this size (pretrain-load has `image_size` for it), or with preprocessor: {do_resize: true}.',
    );
  }
  throw new StageError(
    `The model takes pictures of ${size} × ${size} pixels, and the preprocessor makes ${fitted.height} × ${fitted.width} of ${whose} ${height} × ${width}.`,
    `Give the preprocessor size: {height: ${size}, width: ${size}}, or do_center_crop with that crop_size.`,
  );
}

function checkChannels({do_convert_rgb}: PreprocessorSettings, channels: number, found: number): void {
  if (found === channels || (do_convert_rgb === true && found === 1 && channels === 3)) return;
  throw new StageError(
    `The model takes pictures of ${channels} channel(s), and the data set's have ${found}.`,
    found === 1 && channels === 3
      ? 'Load the weights with preprocessor: {do_convert_rgb: true} (pretrain-load), which makes grey pictures RGB, or use a data set in colour.'
      : 'Use a data set of as many channels, or load the model with another number of channels.',
  );
}

function tableOf(settings: PreprocessorSettings, channels: number): Float32Array {
  const mean = settings.do_normalize ? channelValues(settings.image_mean, channels, 'image_mean') : undefined;
  const std = settings.do_normalize ? channelValues(settings.image_std, channels, 'image_std') : undefined;
  const table = new Float32Array(channels * 256);
  for (let channel = 0; channel < channels; channel++) {
    for (let level = 0; level < 256; level++) {
      const scaled = Math.fround(settings.do_rescale ? level * settings.rescale_factor : level);
      const centred = Math.fround(scaled - Math.fround(mean?.[channel] ?? 0));
      table[channel * 256 + level] = Math.fround(centred / Math.fround(std?.[channel] ?? 1));
    }
  }
  return table;
}

/** One value for each channel; a list of another length serves when all its values are equal. */
function channelValues(
  given: number | readonly number[] | undefined,
  channels: number,
  field: string,
): readonly number[] {
  const values = typeof given === 'object' ? given : [given ?? 0.5];
  if (values.length === channels) return values;
  const [first = 0] = values;
  if (values.every((value) => value === first)) return Array.from({length: channels}, () => first);
  throw new StageError(
    `The preprocessor's ${field} has ${values.length} values for ${channels} channel(s).`,
    `Give ${field} one value for each channel.`,
  );
}
