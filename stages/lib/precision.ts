import {z} from 'zod';
import {PRECISIONS} from '../tensor/fused/product.ts';

/** How the products of linear layers compute, for every stage that runs a network; a stage names fp32 in its `noop`. */
export const precisionSchema = z
  .enum(PRECISIONS)
  .default('fp32')
  .describe(
    'fp32, or bf16: linear layers multiply what is rounded to bfloat16 and sum in float32; weights and all else stay in float32.',
  );
