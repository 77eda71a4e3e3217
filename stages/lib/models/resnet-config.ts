import {z} from 'zod';

const size = (doc: string) => z.int().min(1).max(65_536).describe(doc);

const DEFAULT_GROUPS = 8;
const SEGMENTS = 3;

const shape = {
  model: z.literal('resnet'),
  labels: size('Number of classes.').default(10),
  image_size: size('Height and width of a picture, in pixels.').default(32),
  num_channels: size('Channels of a picture.').default(3),
  depth: z
    .int()
    .min(8)
    .max(1202)
    .refine((depth) => (depth - 2) % (2 * SEGMENTS) === 0, 'depth must be 6n + 2: 8, 14, 20, 32, 44, 56, 110 ….')
    .describe('Layers with weights, 6n + 2: three segments of n blocks, with the first convolution and the classifier.')
    .default(20),
  width: z
    .int()
    .min(1)
    .max(4096)
    .describe('Channels of the first segment; the others have twice and four times as many.')
    .default(16),
};

const grouped = z
  .strictObject({
    ...shape,
    norm: z.literal('group').describe('Normalisation over groups of channels of one picture.'),
    groups: z.int().min(1).max(4096).describe('Groups of channels; divides width.').default(DEFAULT_GROUPS),
  })
  .refine(({width, groups}) => width % groups === 0, {path: ['groups'], message: 'groups must divide width.'});

const batched = z.strictObject({
  ...shape,
  norm: z.literal('batch').describe('Normalisation over the batch, with running statistics for evaluation.'),
});

/** A residual network for small pictures (He et al. 2016, §4.2; open_lth `cifar_resnet_20`). */
export const resnetConfigSchema = z.discriminatedUnion('norm', [grouped, batched]);

export type ResnetConfig = z.output<typeof resnetConfigSchema>;

/** A block's place: its channels in and out, and its stride. */
export interface BlockShape {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: 1 | 2;
}

/** The blocks in their order; the first one of every further segment halves the picture and doubles the channels. */
export function blocksOf({depth, width}: Pick<ResnetConfig, 'depth' | 'width'>): readonly BlockShape[] {
  const each = (depth - 2) / (2 * SEGMENTS);
  return Array.from({length: SEGMENTS * each}, (_, index) => {
    const segment = Math.floor(index / each);
    const halves = segment > 0 && index % each === 0;
    const outputs = width * 2 ** segment;
    return {name: `blocks.${index}`, inputs: halves ? outputs / 2 : outputs, outputs, stride: halves ? 2 : 1};
  });
}
