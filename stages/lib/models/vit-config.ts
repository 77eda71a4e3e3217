import {z} from 'zod';

const size = (doc: string) => z.int().min(1).max(65_536).describe(doc);
const probability = (doc: string) => z.number().min(0).lt(1).describe(doc);

/**
 * A Vision Transformer for classification in HuggingFace's own names and defaults (transformers `ViTConfig`); what a
 * forward pass does not use (pooler, encoder stride) is not a part of it.
 */
export const vitConfigSchema = z
  .strictObject({
    model: z.literal('vit'),
    labels: size('Number of classes.').default(2),
    class_names: z
      .array(z.string().min(1).max(1000))
      .describe('What the classes are called, from class 0; `labels` many. A fresh head has none.')
      .exactOptional(),
    image_size: size('Height and width of a picture, in pixels.').default(224),
    patch_size: size('Height and width of a patch, in pixels; divides image_size.').default(16),
    num_channels: size('Channels of a picture.').default(3),
    hidden_size: size('Width of a token; a multiple of num_attention_heads.').default(768),
    num_hidden_layers: z.int().min(1).max(1024).describe('Number of transformer blocks.').default(12),
    num_attention_heads: size('Attention heads of a block.').default(12),
    intermediate_size: size('Width of the hidden layer of the MLP of a block.').default(3072),
    hidden_act: z
      .enum(['gelu', 'gelu_new', 'relu'])
      .describe('Activation of the MLP: gelu is exact (by erf), gelu_new its tanh approximation.')
      .default('gelu'),
    qkv_bias: z.boolean().describe('Whether query, key and value have biases.').default(true),
    layer_norm_eps: z.number().min(0).max(1).describe('Added to the variance in layer normalisation.').default(1e-12),
    initializer_range: z.number().min(0).max(10).describe('Standard deviation of random weights.').default(0.02),
    hidden_dropout_prob: probability('Dropout after embeddings, projections and MLPs in training.').default(0),
    attention_probs_dropout_prob: probability('Dropout of attention in training.').default(0),
  })
  .refine((config) => config.hidden_size % config.num_attention_heads === 0, {
    path: ['hidden_size'],
    message: 'hidden_size must be a multiple of num_attention_heads.',
  })
  .refine((config) => config.image_size % config.patch_size === 0, {
    path: ['patch_size'],
    message: 'patch_size must divide image_size.',
  })
  .refine(({class_names, labels}) => class_names === undefined || class_names.length === labels, {
    path: ['class_names'],
    message: 'class_names must have a name for each of the labels.',
  });

export type VitConfig = z.output<typeof vitConfigSchema>;

/** Tokens of a picture: its patches and the class token. */
export const tokensOf = (config: VitConfig): number => (config.image_size / config.patch_size) ** 2 + 1;
