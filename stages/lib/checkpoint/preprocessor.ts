import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {Model} from '../models/model.ts';
import {
  PREPROCESSOR_FIELDS,
  type PreprocessorChanges,
  type PreprocessorSettings,
  preprocessorSchema,
} from '../pictures/preprocessor-settings.ts';
import {schemaFaults} from '../schema-faults.ts';
import {quoted} from './quoted.ts';

/** The whole preprocessor of a model. @throws StageError when it would give the model pictures it cannot take. */
export function completePreprocessor(settings: PreprocessorSettings, model: Model): JsonObject {
  const {channels, imageSize} = model;
  const {size = {height: imageSize, width: imageSize}, image_mean = 0.5, image_std = 0.5, ...flags} = settings;
  const made = flags.crop_size ?? (flags.do_resize ? size : undefined);
  if (made && Object.values(made).some((side) => side !== imageSize)) {
    throw new StageError(
      `The preprocessor ${flags.crop_size ? 'crops' : 'resizes'} pictures to ${sidesText(made)}, but the model takes ${imageSize}x${imageSize}.`,
      'Give a preprocessor and a model that belong together, or `image_size`, which sets the size of both.',
    );
  }
  const mean = eachChannel(image_mean, channels);
  const std = eachChannel(image_std, channels);
  if (mean.length !== channels || std.length !== channels) {
    throw new StageError(
      `The preprocessor has ${mean.length} means and ${std.length} deviations, but the model's pictures have ${channels} channels.`,
      'Give image_mean and image_std one number a channel.',
    );
  }
  return {...flags, size, image_mean: mean, image_std: std};
}

/** The preprocessor of the same network for squares of another size; what a centre crop leaves out stays the same part. */
export function preprocessorForSize(settings: PreprocessorSettings, side: number): PreprocessorSettings {
  const square = {height: side, width: side};
  const {size, crop_size} = settings;
  if (!crop_size) return {...settings, size: square};
  const scaled = (edge: number, of: number): number => Math.round((edge * side) / of);
  const {height, width} = crop_size;
  if (!size) return {...settings, crop_size: square};
  return {
    ...settings,
    crop_size: square,
    size:
      'height' in size
        ? {height: scaled(size.height, height), width: scaled(size.width, width)}
        : {shortest_edge: scaled(size.shortest_edge, Math.min(height, width))},
  };
}

/**
 * Settings with some fields changed; without a centre crop its size counts no more.
 *
 * @throws StageError when what comes of it is no preprocessor.
 */
export function changedPreprocessor(
  settings: PreprocessorSettings,
  changes: PreprocessorChanges,
): PreprocessorSettings {
  const {crop_size, ...others} = {...settings, ...changes};
  const parsed = preprocessorSchema.safeParse(changes.do_center_crop === false ? others : {...others, crop_size});
  if (parsed.success) return parsed.data;
  throw new StageError(
    `With \`preprocessor\` laid over that of the weights it cannot be used: ${schemaFaults(parsed.error)}.`,
    'Give the fields that belong together.',
  );
}

const sidesText = (size: NonNullable<PreprocessorSettings['size']>): string =>
  'height' in size ? `${size.height}x${size.width}` : `a shortest edge of ${size.shortest_edge}`;

const eachChannel = (given: number | number[], channels: number): number[] =>
  typeof given === 'number' ? Array.from({length: channels}, () => given) : given;

/** Refuses steps that a ViT's image processor has not, and other processors, whose defaults and sizes mean something else. */
function checkProcessor(config: JsonObject): void {
  const kind = config.image_processor_type ?? config.feature_extractor_type;
  if (typeof kind === 'string' && !kind.startsWith('ViT')) {
    throw new StageError(
      `preprocessor_config.json is of ${quoted(kind)}, and basin prepares pictures as ViTImageProcessor does.`,
      'Write every field as ViTImageProcessor has it, with image_processor_type: "ViTImageProcessor".',
    );
  }
  const unknown = Object.keys(config).find(
    (name) =>
      /^do_\w+$/.test(name) && config[name] === true && !PREPROCESSOR_FIELDS.includes(name) && !NO_CHANGE.has(name),
  );
  if (unknown !== undefined) {
    throw new StageError(
      `preprocessor_config.json asks for ${unknown}, which a ViT image processor does not do.`,
      `Remove ${unknown}, or choose a checkpoint of a ViT.`,
    );
  }
}

/** Fields in which null stands for what is not there. */
const MAY_BE_NULL = new Set(['do_convert_rgb', 'do_center_crop', 'crop_size']);

/** Of labels of a segmentation, which are no pictures. */
const NO_CHANGE = new Set(['do_reduce_labels']);

const square = (size: unknown): unknown => (typeof size === 'number' ? {height: size, width: size} : size);

/**
 * The settings of a preprocessor_config.json. A size that is one number makes squares, as ViTImageProcessor has it.
 *
 * @throws StageError when it asks for what basin does not do, by the name of the field.
 */
export function checkpointPreprocessor(config: JsonObject): PreprocessorSettings {
  checkProcessor(config);
  const given = {
    ...config,
    size: square(config.size),
    crop_size: config.do_center_crop === true ? square(config.crop_size) : null,
  };
  const used = Object.fromEntries(
    PREPROCESSOR_FIELDS.flatMap((name) => {
      const value = Object.entries(given).find(([other]) => other === name)?.[1];
      return value === undefined || (value === null && MAY_BE_NULL.has(name)) ? [] : [[name, value]];
    }),
  );
  const parsed = preprocessorSchema.safeParse(used);
  if (parsed.success) return parsed.data;
  throw new StageError(
    `preprocessor_config.json asks for what basin cannot do: ${schemaFaults(parsed.error)}.`,
    'Write the field as ViTImageProcessor does, or remove the file: its defaults are those of google/vit.',
  );
}
