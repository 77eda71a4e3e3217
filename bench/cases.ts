import {type ResnetConfig, resnetConfigSchema} from '../stages/lib/models/resnet-config.ts';
import {type VitConfig, vitConfigSchema} from '../stages/lib/models/vit-config.ts';

/** A training step, an evaluation, a sweep of 25 alphas, or a training step under PLATON. */
export const WORKS = ['train', 'eval', 'sweep', 'platon'] as const;
export type WorkName = (typeof WORKS)[number];
export type Precision = 'fp32' | 'bf16';

const vit = (width: number, layers: number, heads: number, size: number, patch: number): VitConfig =>
  vitConfigSchema.parse({
    model: 'vit',
    labels: 10,
    num_channels: 1, // MNIST is the data set that everybody has
    image_size: size,
    patch_size: patch,
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: 4 * width,
  });

/** 65 tokens and heads of 64; ViT-B/16 has 197. */
export const MODELS: Readonly<Record<string, VitConfig>> = {
  'D64-L4': vit(64, 4, 1, 32, 4),
  'D192-L6': vit(192, 6, 3, 32, 4),
  'D192-L12': vit(192, 12, 3, 32, 4),
  'D384-L6': vit(384, 6, 6, 32, 4),
  'ViT-B16': vit(768, 12, 12, 224, 16),
};

const residual = {model: 'resnet', num_channels: 1};

/** Residual networks of depth 20 at 32 pixels. */
const RESIDUAL_NETWORKS: Readonly<Record<string, ResnetConfig>> = {
  'ResNet20-group': resnetConfigSchema.parse({...residual, norm: 'group'}),
  'ResNet20-batch': resnetConfigSchema.parse({...residual, norm: 'batch'}),
};

export interface Case {
  /** `D192-L6.b32.train.fp32`: model, batch, work, precision. */
  readonly id: string;
  readonly config: VitConfig | ResnetConfig;
  /** Pictures in a training batch. */
  readonly batch: number;
  readonly work: WorkName;
  readonly precision: Precision;
  /** Pictures of an evaluation, or of each point of a sweep. */
  readonly pictures: number;
}

function caseOf(model: string, batch: number, work: WorkName, precision: Precision, pictures: number): Case[] {
  const config = MODELS[model] ?? RESIDUAL_NETWORKS[model];
  return config ? [{id: `${model}.b${batch}.${work}.${precision}`, config, batch, work, precision, pictures}] : [];
}

const SMALL = ['D64-L4', 'D192-L6', 'D192-L12', 'D384-L6'] as const;
const BOTH = ['fp32', 'bf16'] as const;

/** What the targets are about, in about ten minutes. */
export const DEFAULT_CASES: readonly Case[] = [
  ...BOTH.flatMap((precision) =>
    SMALL.flatMap((model) => [
      ...caseOf(model, 32, 'train', precision, 0),
      ...caseOf(model, 32, 'eval', precision, model === 'D64-L4' ? 1000 : 250),
    ]),
  ),
  ...caseOf('D64-L4', 32, 'sweep', 'fp32', 500),
  ...caseOf('D192-L6', 32, 'sweep', 'fp32', 100),
  ...caseOf('D384-L6', 32, 'platon', 'fp32', 0),
];

export const ALL_CASES: readonly Case[] = [
  ...DEFAULT_CASES,
  ...BOTH.flatMap((precision) => [
    ...SMALL.flatMap((model) => [16, 64].flatMap((batch) => caseOf(model, batch, 'train', precision, 0))),
    ...caseOf('ViT-B16', 16, 'train', precision, 0),
    ...caseOf('ViT-B16', 16, 'eval', precision, 16),
  ]),
  ...caseOf('D64-L4', 32, 'platon', 'fp32', 0),
  ...caseOf('D192-L6', 32, 'platon', 'fp32', 0),
  ...caseOf('ResNet20-group', 128, 'train', 'fp32', 0),
  ...caseOf('ResNet20-group', 128, 'eval', 'fp32', 1000),
  ...caseOf('ResNet20-batch', 128, 'train', 'fp32', 0),
];

/**
 * The cases that have all dot-separated words of one of the patterns: `D192-L6.train` names every training step of that
 * model. Undefined when a pattern names none.
 */
export function casesNamed(patterns: readonly string[]): readonly Case[] | undefined {
  const fits = ({id}: Case, pattern: string) => pattern.split('.').every((word) => id.split('.').includes(word));
  if (patterns.some((pattern) => !ALL_CASES.some((one) => fits(one, pattern)))) return undefined;
  return ALL_CASES.filter((one) => patterns.some((pattern) => fits(one, pattern)));
}
