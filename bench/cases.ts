import {tokensOf, type VitConfig, vitConfigSchema} from '../stages/lib/models/vit-config.ts';

export interface Case {
  readonly name: string;
  /** Pictures in a training batch. */
  readonly batch: number;
  readonly config: VitConfig;
}

export const CASES: readonly Case[] = [
  {
    name: 'D64 L4, 28 px, patch 7',
    batch: 64,
    config: vitConfigSchema.parse({
      model: 'vit',
      labels: 10,
      image_size: 28,
      patch_size: 7,
      num_channels: 1,
      hidden_size: 64,
      num_hidden_layers: 4,
      num_attention_heads: 4,
      intermediate_size: 256,
    }),
  },
  {
    name: 'D192 L6, 32 px, patch 4',
    batch: 32,
    config: vitConfigSchema.parse({
      model: 'vit',
      labels: 10,
      image_size: 32,
      patch_size: 4,
      hidden_size: 192,
      num_hidden_layers: 6,
      num_attention_heads: 3,
      intermediate_size: 768,
    }),
  },
];

/**
 * Floating-point operations of the matrix products of one step: two a multiply-add; a linear layer makes three products
 * (output, input gradient, weight gradient; patches have no input gradient), attention two and four for their gradients.
 * Of the last block only what the class token needs is counted, because only that is computed.
 */
export function productsOf({batch, config}: Case): number {
  const {hidden_size: width, intermediate_size: inner, num_hidden_layers: layers} = config;
  const tokens = tokensOf(config);
  const linear = (rows: number, inputs: number, outputs: number) => 3 * 2 * rows * inputs * outputs;
  const block = (queries: number) =>
    linear(batch * queries, width, 2 * width) + // query and output
    linear(batch * tokens, width, 2 * width) + // key and value
    linear(batch * queries, width, 2 * inner) +
    3 * 2 * 2 * batch * queries * tokens * width; // q kᵀ and its product with v
  const patches = (linear(batch * (tokens - 1), config.num_channels * config.patch_size ** 2, width) * 2) / 3;
  return patches + (layers - 1) * block(tokens) + block(1) + linear(batch, width, config.labels);
}
