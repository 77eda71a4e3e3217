import {z} from 'zod';

const side = z.int().min(1).max(65_536);
const sides = z.strictObject({height: side, width: side});
const size = z.union([sides, z.strictObject({shortest_edge: side})]);
const perChannel = <T extends z.ZodType<number>>(value: T) => z.union([z.array(value), value]);

const fields = {
  do_convert_rgb: z
    .boolean()
    .describe('Whether a grey picture becomes one of three equal channels; false when not given.'),
  do_resize: z.boolean().describe('Whether a picture is resized to `size`.'),
  size: size.describe('Pixels: {height, width}, or {shortest_edge} to keep the shape; the model’s own when not given.'),
  resample: z
    .int()
    .min(0)
    .max(5)
    .describe('Pillow’s number of the filter: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box, 5 hamming.'),
  do_center_crop: z.boolean().describe('Whether `crop_size` is cut from the middle; false when not given.'),
  crop_size: sides.describe('With do_center_crop: pixels.'),
  do_rescale: z.boolean().describe('Whether values are multiplied by `rescale_factor`.'),
  rescale_factor: z.number().positive().describe('Takes values from 0…255 to 0…1.'),
  do_normalize: z.boolean().describe('Whether mean and deviation are applied.'),
  image_mean: perChannel(z.number()).describe('Mean of each channel, or one of all; 0.5 when not given.'),
  image_std: perChannel(z.number().positive()).describe(
    'Deviation of each channel, or one of all; 0.5 when not given.',
  ),
};

const shape = z.strictObject({
  do_convert_rgb: fields.do_convert_rgb.optional(),
  do_resize: fields.do_resize.default(true),
  size: fields.size.optional(),
  resample: fields.resample.default(2),
  do_center_crop: fields.do_center_crop.optional(),
  crop_size: fields.crop_size.optional(),
  do_rescale: fields.do_rescale.default(true),
  rescale_factor: fields.rescale_factor.default(1 / 255),
  do_normalize: fields.do_normalize.default(true),
  image_mean: fields.image_mean.optional(),
  image_std: fields.image_std.optional(),
});

export const PREPROCESSOR_FIELDS: readonly string[] = Object.keys(shape.shape);

/**
 * How a picture becomes the model's input, in the names and the order of HuggingFace's `ViTImageProcessor`: to RGB, resize, centre
 * crop, times `rescale_factor`, then minus mean over deviation for each channel.
 */
export const preprocessorSchema = shape
  .refine(({do_center_crop, crop_size}) => (do_center_crop === true) === (crop_size !== undefined), {
    path: ['crop_size'],
    error: 'do_center_crop: true and crop_size belong together',
  })
  // flags that are off by default are no part of a key when they are off
  .transform(({do_convert_rgb, do_center_crop, crop_size, ...others}) => ({
    ...others,
    ...(do_convert_rgb && {do_convert_rgb}),
    ...(do_center_crop && crop_size && {do_center_crop, crop_size}),
  }))
  .describe('How a picture becomes the model’s input.');

export type PreprocessorSettings = z.output<typeof preprocessorSchema>;

/** Fields of a preprocessor that take the place of those that weights come with. */
export const preprocessorChangesSchema = z
  .strictObject(fields)
  .partial()
  .describe('Fields laid over the preprocessor that the weights come with; the others stay.');

export type PreprocessorChanges = z.output<typeof preprocessorChangesSchema>;
