import {z} from 'zod';
import {USER_MODULE} from '../../../src/stage/module-reference.ts';

/** Classes of the built-in data sets, and most that one of the user's may have. */
const [TEN, MANY] = [10, 65_536];
const count = z.int().min(1);
const seed = z.int().min(0);

const choices = (most: number) => ({
  limit: z
    .strictObject({train: count.optional(), test: count.optional()})
    .describe('At most this many pictures of a split: the first ones, in file order, after `classes`.')
    .optional(),
  classes: z
    .array(
      z
        .int()
        .min(0)
        .max(most - 1),
    )
    .min(2)
    .refine((classes) => new Set(classes).size === classes.length, 'A class is listed twice.')
    .describe('Only these classes; the first listed becomes label 0, the next label 1, and so on.')
    .optional(),
  validation: z
    .strictObject({n: count, seed: seed.default(0)})
    .describe(
      'Takes n pictures out of train, by a seeded draw, after `classes` and `limit`; they become split validation.',
    )
    .optional(),
});

const mnist = z.strictObject({
  name: z.literal('mnist'),
  root: z
    .string()
    .min(1)
    .describe('Folder with the four IDX files; without it, those that come with basin.')
    .optional(),
  ...choices(TEN),
});

const cifar10 = z.strictObject({
  name: z.literal('cifar10'),
  root: z
    .string()
    .min(1)
    .default('data')
    .describe('Folder with data_batch_1.bin … test_batch.bin, or with cifar-10-batches-bin/ that holds them.'),
  download: z.literal(true).describe('Fetch the official archive (162 MiB) into root when it is not there.').optional(),
  ...choices(TEN),
});

export const builtInDataSetSchema = z.discriminatedUnion('name', [mnist, cifar10]);

const file = z
  .string()
  .regex(USER_MODULE, {error: 'This is no file: a path starts with ./, ../ or /.', abort: true})
  .meta({format: 'path'})
  .describe('A TypeScript file that exports a data set by default; the path starts at the pipeline file.');

export const userDataSetSchema = z.strictObject({
  name: file,
  root: z
    .string()
    .min(1)
    .describe('Folder with its files; the one that the TypeScript file lies in unless given.')
    .optional(),
  settings: z.record(z.string(), z.json()).describe('What the file declares as its settings.').default({}),
  ...choices(MANY),
});

/** A data set as a pipeline names it: which, where, and how much of it. */
export const dataSetSchema = z
  .union([builtInDataSetSchema, userDataSetSchema, file.transform((name) => userDataSetSchema.parse({name}))])
  .describe('A data set: {name: mnist | cifar10 | ./FILE, root, limit, classes, validation}.');

export type DataSetValue = z.output<typeof dataSetSchema>;

/** A part of a data set. */
export const splitSchema = z.enum(['train', 'validation', 'test']);
export type Split = z.output<typeof splitSchema>;
